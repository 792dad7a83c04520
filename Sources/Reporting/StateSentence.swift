public import Foundation
public import Ledger

/// Says in one sentence why an import is where it is, what happens next, and when.
public struct StateSentence: Sendable {
    /// What the ledger does not know.
    public struct Circumstances: Sendable, Hashable {
        /// Names of media that is waited for, the first few of them.
        public var missing: [String]
        /// Until when its media is waited for.
        public var mediaDeadline: Date?
        /// When the rows of an ambiguous submission are looked up next.
        public var nextLook: Date?
        /// What holds up everything that is to be sent or asked; a sentence without its full stop.
        public var obstacle: String?

        public init(
            missing: [String] = [], mediaDeadline: Date? = nil, nextLook: Date? = nil, obstacle: String? = nil
        ) {
            self.missing = missing
            self.mediaDeadline = mediaDeadline
            self.nextLook = nextLook
            self.obstacle = obstacle
        }
    }

    private let record: ImportRecord
    private let tasks: [TaskEntry]
    private let circumstances: Circumstances
    private let now: Date

    public init(_ record: ImportRecord, tasks: [TaskEntry], circumstances: Circumstances, now: Date) {
        self.record = record
        self.tasks = tasks
        self.circumstances = circumstances
        self.now = now
    }

    /// The sentence.
    public var text: String {
        guard let obstacle = circumstances.obstacle, needsLabelbox else { return plain }
        return "\(plain.trimmedSentence); \(obstacle)."
    }

    /// Whether it goes on only with Labelbox's help.
    private var needsLabelbox: Bool {
        switch record.shownState {
        case .queued: record.phase != .claimed
        case .importing: record.phase != .closing
        default: false
        }
    }

    private var plain: String {
        if let cancelled = record.cancelled, !record.shownState.isFinal {
            return
                "\(cancelled.trimmedSentence); nothing more is sent for it, and what is at Labelbox already is followed "
                + "until its outcome is known."
        }
        return switch record.shownState {
        case .settling: Self.settling(reason: record.delay, nextLook: record.nextAttempt, now: now)
        case .queued: record.phase == .claimed ? claimed : queued
        case .waitingForMedia: waitingForMedia
        case .importing: importing
        case .complete: complete
        case .completeWithErrors: completeWithErrors
        case .failed: stopped("The import failed")
        case .rejected: stopped("Nothing was imported")
        case .cancelled: stopped("The import was cancelled")
        }
    }

    /// The sentence for a file that is not claimed yet.
    public static func settling(reason: String, nextLook: Date?, now: Date) -> String {
        var text = "Waits until nobody writes to it any more"
        if !reason.isEmpty { text += ": \(reason.trimmedSentence)" }
        if let nextLook { text += "; it is looked at again at \(Timestamp.clock(nextLook, near: now))" }
        return text + "."
    }

    // MARK: On the way

    private var claimed: String {
        guard let retry = postponed else { return "Taken from the drop folder; it is read and checked next." }
        return "It could not be read yet\(retry)."
    }

    private var queued: String {
        if let upload { return upload }
        if let retry = postponed { return "\(rows(record.rows.total)) checked; sending waits\(retry)." }
        return "\(rows(record.rows.total)) checked; they are sent with the next batch of their dataset."
    }

    private var waitingForMedia: String {
        let missing = circumstances.missing
        let what =
            missing.isEmpty
            ? "Waits for media that it names and that is not there yet"
            : "Waits for \(Self.names(missing)), which it names and which \(missing.count == 1 ? "is" : "are") not there yet"
        guard let deadline = circumstances.mediaDeadline else { return what + "." }
        return "\(what), until \(Timestamp.clock(deadline, near: now)); then the rows that name what is missing fail."
    }

    private var importing: String {
        if record.phase == .closing {
            if let retry = postponed {
                return "Every row has its outcome, but its files cannot be put away yet\(retry)."
            }
            return "Every row has its outcome; the results are written and the manifest is put away next."
        }
        if let task = tasks.first(where: { $0.phase == .ambiguous }) { return ambiguous(task) }
        if let upload { return upload }
        if let task = tasks.first(where: { $0.phase == .collecting }) {
            return "\(name(task)) has ended; the outcome of its \(rows(task.rows)) is read next."
        }
        let running = tasks.filter { $0.phase == .submitted }
        if let task = running.first {
            let since = task.submittedAt.map { " since \(Timestamp.clock($0, near: now))" } ?? ""
            if running.count == 1 {
                let share = task.completion > 0 ? " (\(Int(task.completion)) %)" : ""
                return "\(name(task)) with \(rows(task.rows)) runs\(since)\(share); it is asked after until it ends."
            }
            return "\(running.count) tasks run, the oldest\(since); they are asked after until they end."
        }
        if let task = tasks.first(where: { $0.phase == .sealed || $0.phase == .submitting }) {
            let why = task.reason.isEmpty ? "" : ": \(task.reason.trimmedSentence)"
            return "\(rows(task.rows)) \(task.rows == 1 ? "is" : "are") being sent\(why)."
        }
        if let retry = postponed { return "It waits\(retry)." }
        return "\(rows(max(0, record.rows.total - record.rows.ended))) left; they are sent with the next batch."
    }

    private func ambiguous(_ task: TaskEntry) -> String {
        // What a rebuilt ledger took up was perhaps never handed over.
        guard record.origin == .dropped else {
            return "It may have been handed over before the ledger was made anew: \(rows(task.rows)) "
                + "\(task.rows == 1 ? "is" : "are") looked up first, and only what is not there is sent."
        }
        let when = circumstances.nextLook.map { " at \(Timestamp.clock($0, near: now))" } ?? ""
        return
            "The answer to the submission of \(rows(task.rows)) was lost; its rows are looked up\(when), nothing is sent twice."
    }

    /// Uploads in progress, if there are any.
    private var upload: String? {
        let media = record.media
        guard record.openMedia > 0, media.files > media.uploadedFiles else { return nil }
        let retry = postponed.map { "; the next waits\($0)" } ?? ""
        return "Uploading: \(media.uploadedFiles) of \(media.files) files "
            + "(\(ByteCount.text(media.uploadedBytes)) of \(ByteCount.text(media.bytes))) are done\(retry)."
    }

    /// Why it was put off, and until when.
    private var postponed: String? {
        guard let next = record.nextAttempt, next > now else { return nil }
        let why = record.delay.isEmpty ? "" : ": \(record.delay.trimmedSentence)"
        return "\(why); the next try is at \(Timestamp.clock(next, near: now))"
    }

    // MARK: At the end

    private var complete: String {
        let counts = record.rows
        if counts.total == 0 { return "The manifest holds no rows; there was nothing to import." }
        return "\(all(counts.total)): \(outcomes)."
    }

    private var completeWithErrors: String {
        let bad = record.rows.failed + record.rows.rejected
        let outcomes = outcomes.isEmpty ? "" : " (\(outcomes))"
        return "\(bad) of \(rows(record.rows.total)) could not be imported\(outcomes); \(mend)."
    }

    private func stopped(_ what: String) -> String {
        let why = record.reason.isEmpty ? record.errors.first?.message ?? "" : record.reason
        let done = record.rows.succeeded > 0 ? " after \(rows(record.rows.succeeded))" : ""
        return "\(what)\(done)\(why.isEmpty ? "" : ": \(why.trimmedSentence)"); \(mend)."
    }

    /// What to do about it.
    private var mend: String {
        if record.state == .cancelled { return "'datarowctl retry' takes the rest up again" }
        if let file = record.failedRowsPath { return "mend \(file) and drop it again" }
        if let file = record.destination { return "mend \(file) and drop it again" }
        return "mend the manifest and drop it again"
    }

    /// `7 created, 3 already there`.
    private var outcomes: String {
        let counts = record.rows
        return [
            (counts.created, "created"), (counts.updated, "updated"), (counts.alreadyPresent, "already there"),
            (counts.deleted, "deleted"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }

    // MARK: Words

    private func name(_ task: TaskEntry) -> String { task.taskID.map { "Task \($0)" } ?? "A task" }
    private func rows(_ count: Int) -> String { count == 1 ? "1 row" : "\(count) rows" }
    private func all(_ count: Int) -> String { count == 1 ? "Its row is done" : "All \(count) rows are done" }

    /// How many missing files are asked for; where there are as many there may be more.
    static let mostNames = 100

    static func names(_ names: [String]) -> String {
        let shown = names.prefix(3).joined(separator: ", ")
        if names.count >= mostNames { return "\(shown) and others" }
        return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
    }
}

extension ImportRecord {
    /// The state that others are told.
    ///
    /// The ledger knows how an import ends as soon as its last row has its outcome; others are told when the results
    /// are written too, so that a final state means that there is nothing left to wait for.
    public var shownState: ImportState { state.isFinal && phase != .closed ? .importing : state }
}

extension String {
    /// Without the full stop, to stand within another sentence.
    fileprivate var trimmedSentence: String {
        var text = self[...]
        while let last = text.last, last == "." || last.isWhitespace { text = text.dropLast() }
        return String(text)
    }
}
