import os
import socket

from harness.pipeline.external import listening


def test_who_listens_at_a_port_of_this_machine():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listening(f"http://127.0.0.1:{port}/v2") == (os.getpid(),)
        assert listening(f"http://192.0.2.1:{port}/v2") == ()
    assert listening(f"http://127.0.0.1:{port}/v2") == ()
