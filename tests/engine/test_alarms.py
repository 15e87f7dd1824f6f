from __future__ import annotations

from hypothesis import given, strategies as st

from damon_async.engine.alarms import NR_STALE_KEPT, Alarm, AlarmQueue, Rank


def alarm_queued(queue: AlarmQueue, deadline_us: int, rank: Rank = Rank.TASK) -> Alarm:
    alarm = Alarm(rank)
    queue.add(alarm, deadline_us)
    return alarm


def test_empty_queue_has_no_instant() -> None:
    """A queue without alarms has no next instant and nothing due."""
    queue = AlarmQueue()
    assert queue.next_us() is None
    assert queue.pop_due(10**12) is None
    assert queue.pop_instant() == []
    assert len(queue) == 0


def test_due_alarms_come_by_instant() -> None:
    """Only alarms whose instant has come are popped, the earliest first."""
    queue = AlarmQueue()
    late, early, future = (alarm_queued(queue, at) for at in (30, 20, 40))
    assert [queue.pop_due(30), queue.pop_due(30), queue.pop_due(30)] == [early, late, None]
    assert queue.next_us() == future.deadline_us == 40


def test_kdamonds_go_before_tasks() -> None:
    """At one instant kdamonds come before tasks that were queued earlier."""
    queue = AlarmQueue()
    task = alarm_queued(queue, 10)
    kdamond = alarm_queued(queue, 10, Rank.KDAMOND)
    assert queue.pop_instant() == [kdamond]
    assert queue.pop_instant() == [task]


def test_one_instant_keeps_the_order_of_queueing() -> None:
    """Alarms of one instant and rank are taken together, in the order they were queued."""
    queue = AlarmQueue()
    alarms = [alarm_queued(queue, 10) for _ in range(5)]
    later = alarm_queued(queue, 11)
    assert queue.pop_instant() == alarms
    assert queue.pop_instant() == [later]


def test_alarm_can_be_taken_back() -> None:
    """An alarm that was discarded does not come, and discarding it twice is harmless."""
    queue = AlarmQueue()
    gone, kept = alarm_queued(queue, 10), alarm_queued(queue, 10)
    queue.discard(gone)
    queue.discard(gone)
    assert not gone.is_set
    assert len(queue) == 1
    assert queue.pop_instant() == [kept]


def test_alarm_can_be_queued_again() -> None:
    """The entry an alarm left behind does not wake it once it is queued anew."""
    queue = AlarmQueue()
    alarm = alarm_queued(queue, 10)
    queue.discard(alarm)
    queue.add(alarm, 20)
    assert queue.next_us() == 20
    assert queue.pop_due(19) is None
    assert queue.pop_due(20) is alarm


def test_stale_entries_are_swept() -> None:
    """Taking alarms back again and again does not make the heap grow."""
    queue = AlarmQueue()
    alarm_queued(queue, 1)
    for at in range(10_000):
        queue.discard(alarm_queued(queue, 1_000 + at))
    assert len(queue) == 1
    assert len(queue._heap) <= 2 * NR_STALE_KEPT


def test_cleared_queue() -> None:
    """A queue that was cleared is empty, and alarms it had can be discarded and added again."""
    queue, alarms = AlarmQueue(), [Alarm(Rank.TASK) for _ in range(3)]
    for alarm in alarms:
        queue.add(alarm, 10)
    queue.discard(alarms[0])
    queue.clear()
    assert (len(queue), queue.next_us()) == (0, None)
    queue.discard(alarms[1])
    assert len(queue) == 0
    queue.add(alarms[2], 20)
    assert (len(queue), queue.next_us()) == (1, 20)


def test_repr_tells_the_deadline() -> None:
    """An alarm says whose it is and until when it is set."""
    queue = AlarmQueue()
    assert repr(Alarm(Rank.TASK)) == "<Alarm of a task, not set>"
    alarm = alarm_queued(queue, 5, Rank.KDAMOND)
    assert repr(alarm) == "<Alarm of a kdamond, until 5 us>"


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.sampled_from(Rank), st.booleans()),
        max_size=200,
    )
)
def test_queue_agrees_with_sorting(entries: list[tuple[int, Rank, bool]]) -> None:
    """Whatever is queued and taken back, the rest comes sorted by instant, rank, sequence."""
    queue = AlarmQueue()
    alarms = [(alarm_queued(queue, at, rank), taken) for at, rank, taken in entries]
    for alarm, is_taken_back in alarms:
        if is_taken_back:
            queue.discard(alarm)
    kept = [alarm for alarm, is_taken_back in alarms if not is_taken_back]
    expected = sorted(kept, key=lambda alarm: (alarm.deadline_us, alarm.rank))
    assert len(queue) == len(expected)
    assert [queue.pop_due(50) for _ in expected] == expected
    assert queue.next_us() is None
