"""Books on one gate: who is inside, and whether somebody waits who need not."""

from __future__ import annotations

from ..engine.gate import AdmissionGate, Request


class GateBooks:
    """
    Counts for itself who is inside of a gate, and compares.

    Args:
        gate: The gate, as it is now.

        findings: Where to say what is wrong.

    Attributes:
        nr_looks: How often somebody left, or swept the queue.
    """

    def __init__(self, gate: AdmissionGate, findings: list[str]) -> None:
        self.nr_looks = 0
        self._gate = gate
        self._findings = findings
        self._nr_inside = gate.nr_running
        self._is_exclusive = gate.running_exclusive

    def waiting(self) -> list[Request]:
        """Return the requests that wait, first come first."""
        # The queue has no public face: nobody but the gate should depend on it.
        queue = object.__getattribute__(self._gate, "_queue")
        return [request for request in queue if not request[0].done()]

    def came(self, n: int, *, exclusive: bool) -> None:
        """Take note that *n* contexts came in without waiting."""
        # Whoever need not wait must be the only one there.
        if self.waiting():
            self._findings.append(f"a request overtakes {len(self.waiting())} that wait")
        self._count(n, exclusive=exclusive)
        self._compare()

    def left(self, n: int, waiting: list[Request]) -> None:
        """Take note that *n* contexts left, and of who of those *waiting* was let in."""
        self.nr_looks += 1
        self._nr_inside -= n
        # The rule of the kernel: with the last one, and not before.
        if self._nr_inside <= 0:
            self._is_exclusive = False
        # The queue is handed in as it was before, because it forgets who has left it.
        let_in = [request[0].done() and not request[0].cancelled() for request in waiting]
        # All who were let in stood in front of all who were not.
        if let_in != sorted(let_in, reverse=True):
            self._findings.append("a request was let in before an earlier one")
        for (_, size, exclusive), is_let_in in zip(waiting, let_in, strict=True):
            if is_let_in:
                self._count(size, exclusive=exclusive)
        self._compare()

    def _count(self, n: int, *, exclusive: bool) -> None:
        if n and (self._is_exclusive or (exclusive and self._nr_inside)):
            kind = "an exclusive group" if exclusive else "a group"
            beside = "exclusive ones" if self._is_exclusive else "others"
            self._findings.append(f"{kind} of {n} was let in beside {self._nr_inside} {beside}")
        self._nr_inside += n
        self._is_exclusive |= exclusive and n > 0

    def _compare(self) -> None:
        gate = self._gate
        if (gate.nr_running, gate.running_exclusive) != (self._nr_inside, self._is_exclusive):
            flag = " exclusively" if self._is_exclusive else ""
            self._findings.append(f"{gate!r}, but {self._nr_inside} contexts are inside{flag}")
        waiting = self.waiting()
        if waiting:
            exclusive = waiting[0][2]
            # By our own count: the gate's may be what is wrong.
            if not (self._nr_inside and (exclusive or self._is_exclusive)):
                self._findings.append(f"{gate!r}, and the first of those waiting could come in")
