"""Records the frames that real clients send, so that tests can send them again, damaged."""

import socket
import threading


class Capture:
    """A relay before a broker. `frames` holds every request that passed, without its length."""

    def __init__(self, broker):
        self.broker = broker
        self.frames = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.kafka = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.broker.address)
            threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answers, args=(server, client), daemon=True).start()

    def _requests(self, client, server):
        try:
            while True:
                size = exactly(client, 4)
                frame = exactly(client, int.from_bytes(size, "big"))
                self.frames.append(frame)
                server.sendall(size + frame)
        except OSError:
            server.close()

    @staticmethod
    def _answers(server, client):
        try:
            while data := server.recv(65536):
                client.sendall(data)
        except OSError:
            pass
        client.close()

    def close(self):
        self.listener.close()


def exactly(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise OSError("closed")
        data += part
    return data
