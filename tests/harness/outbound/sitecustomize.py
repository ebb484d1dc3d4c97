"""Python reads this first where the folder is on its path: every name that is asked for and every connection that
leaves this machine is written down.
"""

import os
import sys

LOCAL = ("127.0.0.1", "::1", "localhost", "", None)


def written(event, arguments):
    named = {
        "socket.getaddrinfo": lambda: arguments[0],
        "socket.gethostbyname": lambda: arguments[0],
        "socket.connect": lambda: arguments[1][0] if isinstance(arguments[1], tuple) else None,
    }.get(event)
    if named and (host := named()) not in LOCAL:
        descriptor = os.open(os.environ["OUTBOUND"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{event} {host}\n".encode())
        os.close(descriptor)


sys.addaudithook(written)
