"""A port that nobody listens on, and that no connection is given by chance before somebody does."""
import random
import socket


def free_port():
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("", random.randrange(10_000, 32_768)))
            except OSError:
                continue
            return probe.getsockname()[1]


if __name__ == "__main__":
    print(free_port())
