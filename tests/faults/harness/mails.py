"""A mail server that is away, slow, hangs up, or refuses."""

from tests.faults.harness.storm import Fault, Storm

_LETTERS = 6  # that meet each of these


def _refuse_connections(storm: Storm) -> None:
    storm.stack.mailbox.stop()
    storm.wait_for_bookings(_LETTERS)
    storm.wait_until(lambda: "(confirm) is queued" in storm.stack.worker.output, "a mail to wait")
    storm.stack.mailbox.start()


def _answer_slowly(storm: Storm) -> None:
    mailbox = storm.stack.mailbox
    enough = len(mailbox.messages) + _LETTERS
    mailbox.seconds = 5.0
    storm.wait_until(lambda: len(mailbox.messages) >= enough, "slow mails")
    mailbox.seconds = 0.0


def _hang_up_in_the_middle(storm: Storm) -> None:
    mailbox = storm.stack.mailbox
    enough = mailbox.interrupted + _LETTERS
    mailbox.interrupts = True
    storm.wait_until(lambda: mailbox.interrupted >= enough, "interrupted mails")
    mailbox.interrupts = False


def _keep_and_hang_up(storm: Storm) -> None:
    mailbox = storm.stack.mailbox
    enough = len(mailbox.messages) + _LETTERS
    mailbox.forgets_to_answer = True
    storm.wait_until(lambda: len(mailbox.messages) >= enough, "mails that were not answered")
    mailbox.forgets_to_answer = False


def _refuse_for_now_then_for_good(storm: Storm) -> None:
    mailbox = storm.stack.mailbox
    for reply, letters in (("451 4.7.1 try later", _LETTERS), ("554 5.7.1 sender is blocked", 12)):
        enough = mailbox.attempts + letters
        mailbox.refuse(reply)
        storm.wait_until(lambda enough=enough: mailbox.attempts >= enough, "refused mails")
    mailbox.accept()


FAULTS = (
    Fault("mail-away", "the mail server takes no connections", _refuse_connections, lasts=True),
    Fault("mail-slow", "the mail server takes five seconds for each mail", _answer_slowly, lasts=True),
    Fault(
        "mail-interrupted", "the mail server hangs up in the middle of each mail", _hang_up_in_the_middle,
        lasts=True,
    ),
    Fault(
        "mail-unanswered", "the mail server keeps each mail and hangs up in place of the answer",
        _keep_and_hang_up, lasts=True,
    ),
    Fault(
        "mail-refused", "the mail server answers every mail with 451, then every mail with 554",
        _refuse_for_now_then_for_good, lasts=True,
    ),
)  # fmt: skip
