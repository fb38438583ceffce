/* One send for each recipient: what a broadcast costs when nothing is left but the system calls. */
#include <sys/socket.h>
void send_all(const int *sockets, int count, const char *frame, int size) {
  for (int i = 0; i < count; i++) send(sockets[i], frame, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}
