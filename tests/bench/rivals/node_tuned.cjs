// The same through private parts of ws: one frame for all, one buffer a write.
const { WebSocket, WebSocketServer } = require('ws')
const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () =>
  console.log(`Listening on http://127.0.0.1:${wss.address().port}`))
wss.on('connection', socket => {
  socket.on('error', () => {})
  socket.on('message', data => {
    const options = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true }
    const frame = Buffer.concat(WebSocket.Sender.frame(data, options))
    wss.clients.forEach(c => c.readyState === WebSocket.OPEN && c._socket.write(frame))
  })
})
