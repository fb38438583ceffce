// What the README of ws calls a broadcast, with the defaults of a ws server.
const { WebSocket, WebSocketServer } = require('ws')
const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () =>
  console.log(`Listening on http://127.0.0.1:${wss.address().port}`))
wss.on('connection', socket => {
  socket.on('error', () => {})
  socket.on('message', (data, isBinary) => {
    wss.clients.forEach(c => c.readyState === WebSocket.OPEN && c.send(data, { binary: isBinary }))
  })
})
