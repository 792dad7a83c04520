package import Importing

/// Judges whether the pipeline gets on, or rightly rests.
///
/// A value: what is looked at, and when, is given.
package struct Liveness {
    /// What there is to be seen of the daemon at one moment.
    package struct Signs {
        package var pulse: PipelinePulse.Reading
        /// How long the thread of all transfers has not looked at what it is asked; nil when it owes nothing.
        package var transportSilence: Duration?
        /// Whether requests are on their way; libcurl ends those that stall.
        package var isSending: Bool
        /// Whether requests wait for something that comes by itself, or by people: a pause, the budget, a server that does not
        /// answer, an account that is refused, a disk that is full.
        package var isHeld: Bool
        /// Of the processors, since the process began.
        package var work: Duration

        package init(
            pulse: PipelinePulse.Reading, transportSilence: Duration?, isSending: Bool, isHeld: Bool, work: Duration
        ) {
            self.pulse = pulse
            self.transportSilence = transportSilence
            self.isSending = isSending
            self.isHeld = isHeld
            self.work = work
        }
    }

    /// A step that takes longer than this has come to a halt.
    let patience: Duration
    /// Work in hand may take so long without a sign, since a large file on a slow disk shows none.
    package static let patienceWithWork: Duration = .seconds(1_800)
    /// Of the processors, in that time: less is no work.
    package static let leastWork: Duration = .milliseconds(500)

    private var mark: (at: Duration, done: Int, work: Duration)?

    package init(patience: Duration) { self.patience = patience }

    /// Why the pipeline stands still, in a few words; nil when it does not.
    package mutating func halt(_ signs: Signs, at now: Duration) -> String? {
        for stage in signs.pulse.stages {
            if let since = stage.lookingFor, since > patience {
                return "stage \(stage.name) has waited for the ledger for \(since.components.seconds) s"
            }
            if let overdue = stage.overdueFor, overdue > patience {
                return "stage \(stage.name) did not wake when its work was due, \(overdue.components.seconds) s ago"
            }
        }
        if let silence = signs.transportSilence, silence > patience {
            return "the thread of all transfers has not moved for \(silence.components.seconds) s"
        }
        let isAtRest = signs.pulse.inHand == 0 || signs.isSending || signs.isHeld
        let last = mark
        guard let last, !isAtRest, last.done == signs.pulse.done, signs.work - last.work < Self.leastWork else {
            mark = (now, signs.pulse.done, signs.work)
            return nil
        }
        guard now - last.at > Self.patienceWithWork else { return nil }
        return "\(signs.pulse.inHand) pieces of work have not moved for \((now - last.at).components.seconds) s"
    }
}
