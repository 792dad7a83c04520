"""Speaks TLS in front of a server on loopback: tls.py CERTIFICATE-AND-KEY PORT-OF-SERVER PORT-FILE

The certificate is read anew for each connection."""

import os
import socket
import ssl
import sys
import threading

certificate, server, port_file = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    # Whoever still waits for the other direction is told, too.
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(plain):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate)
        client = context.wrap_socket(plain, server_side=True)
        upstream = socket.create_connection(("127.0.0.1", server))
    except OSError:
        return plain.close()
    back = threading.Thread(target=pump, args=(upstream, client), daemon=True)
    back.start()
    pump(client, upstream)
    back.join()
    client.close()
    upstream.close()


listener = socket.create_server(("127.0.0.1", 0), backlog=64)
with open(port_file + ".new", "w") as file:
    file.write(str(listener.getsockname()[1]))
os.rename(port_file + ".new", port_file)
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
