"""A line between two sites that counts what it delivers and stands still at a moment that a test names."""
import socket
import threading
import time

STEP = 8 * 1024
BUFFER = 32 * 1024  # of each socket: what hides in buffers is not counted yet
FOREVER = 0x7FFF_FFFF_FFFF


class Line:
    """`rate` in bytes a second, down: to whoever dials. One end may be gone meanwhile, see down() and up()."""

    def __init__(self, to, rate):
        self.to, self.rate, self.free_at = to, rate, 0.0
        self.delivered = 0  # to whoever dials
        self.moved = 0  # both ways
        self.moment = FOREVER  # of `moved`, at which it stands still
        self.reached = threading.Event()
        self.still, self.sending = False, 0
        self.changed = threading.Condition()
        self.ends = []  # pairs of sockets: of whoever dials, of the other site
        self.listener, self.port = None, 0
        self.open()

    # -- whether anybody can dial: a port where nobody listens is what a dead site looks like --------------

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                near.close()
                continue
            for end in (near, far):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.changed:
                self.ends.append((near, far))
            for source, sink, is_down in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._carry, args=(source, sink, is_down), daemon=True).start()

    # -- carrying --------------------------------------------------------------------------------------------

    def _carry(self, source, sink, is_down):
        try:
            while data := source.recv(STEP):
                if is_down:
                    self.free_at = max(self.free_at, time.monotonic()) + len(data) / self.rate
                    time.sleep(max(0.0, self.free_at - time.monotonic()))
                self._send(sink, data, is_down)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _send(self, sink, data, is_down):
        with self.changed:
            self.changed.wait_for(lambda: not self.still)
            self.sending += 1
        sent = 0
        try:
            sink.sendall(data)
            sent = len(data)
        finally:
            with self.changed:
                self.sending -= 1
                self.moved += sent
                self.delivered += sent if is_down else 0
                if self.moved >= self.moment:
                    self.still = True
                    self.reached.set()
                self.changed.notify_all()

    # -- standing still ----------------------------------------------------------------------------------------

    def stand_still_at(self, moment):
        with self.changed:
            self.moment = moment

    def stand_still(self):
        """Nothing is under way any more when this returns."""
        with self.changed:
            self.still = True
            if not self.changed.wait_for(lambda: self.sending == 0, timeout=60):
                raise RuntimeError("somebody does not take what the line brings")

    def go_on(self):
        with self.changed:
            self.still, self.moment = False, FOREVER
            self.reached.clear()
            self.changed.notify_all()

    def cut(self):
        """Ends all connections, and what was under way in them."""
        with self.changed:
            ends, self.ends = self.ends, []
        for pair in ends:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.go_on()

    def unread(self):
        """Delivered, but still with the kernel: whoever dials has not read it."""
        near = set()
        with self.changed:
            for end, _ in self.ends:
                try:
                    near.add(end.getpeername()[1])
                except OSError:
                    pass
        waiting = 0
        with open("/proc/net/tcp", encoding="ascii") as table:
            for row in table.read().splitlines()[1:]:
                _, local, remote, _, queues = row.split()[:5]
                here, there = (int(address.split(":")[1], 16) for address in (local, remote))
                to_send, to_read = (int(part, 16) for part in queues.split(":"))
                if here in near and there == self.port:
                    waiting += to_read
                elif here == self.port and there in near:
                    waiting += to_send
        return waiting
