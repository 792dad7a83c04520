internal import Ledger
public import Reporting
public import SystemPackage

/// What a rebuild did, or would do.
public struct RebuildReport: Sendable, JSONWritable {
    /// Written in each report, so that a reader knows what it reads.
    public static let schema = "datarowd.rebuild/1"

    public var isDryRun: Bool
    /// Whether an earlier rebuild that was cut off was only brought to its end.
    public var isResumed = false
    /// Whether the old ledger was whole, so that everything in it goes on as it was.
    public var isWhole = false
    /// Where the old ledger is now; nil where there was none.
    public var movedAside: FilePath?
    /// Finished imports that the old ledger told of, that only their statuses did, and that only their results did.
    public var finishedFromLedger = 0
    public var finishedFromStatus = 0
    public var finishedFromResults = 0
    /// Imports that go on where they were.
    public var goneOn = 0
    /// Claimed manifests that are taken up again: their rows are looked up before they are sent.
    public var takenUp: [String] = []
    /// Addresses of uploaded content, so that it is not uploaded again.
    public var contents = 0
    /// Files that stay in a folder and were taken as imported, since nobody knows which of them are new.
    public var takenAsImported: [String: Int] = [:]
    /// What could not be read of the old ledger.
    public var troubles: [String] = []
    /// Whether what cannot be looked up is sent all the same.
    public var sendsAgain = false

    public init(isDryRun: Bool) { self.isDryRun = isDryRun }

    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("schema", Self.schema)
            json.member("dry_run", isDryRun)
            json.member("resumed", isResumed)
            json.member("old_ledger_whole", isWhole)
            json.member("moved_aside", movedAside?.string)
            json.member("finished_from_ledger", finishedFromLedger)
            json.member("finished_from_status", finishedFromStatus)
            json.member("finished_from_results", finishedFromResults)
            json.member("gone_on", goneOn)
            json.member("taken_up", takenUp.count)
            json.member("uploaded_contents", contents)
            json.member("send_again", sendsAgain)
            json.member("taken_as_imported") { json in
                json.object { json in
                    for (watch, count) in takenAsImported.sorted(by: { $0.key < $1.key }) { json.member(watch, count) }
                }
            }
            json.member("troubles", troubles)
        }
    }

    /// For people.
    public var lines: [String] {
        if isResumed { return ["An earlier rebuild that was cut off is now done; start the daemon."] }
        var lines = troubles.map { "not readable: \(VisibleText.of($0))" }
        let does = isDryRun ? "would be" : "is"
        if isWhole { lines.append("The old ledger is whole; everything in it \(does) taken over as it was.") }
        lines += [
            "finished imports  \(finishedFromLedger) from the old ledger, \(finishedFromStatus) from status files, "
                + "\(finishedFromResults) from results",
            "unfinished        \(goneOn) go on where they were",
            "claimed           \(takenUp.count) manifests \(isDryRun ? "would be" : "are") taken up again; "
                + "their rows are looked up before they are sent",
        ]
        lines += takenUp.prefix(20).map { "                    \(VisibleText.of($0))" }
        if takenUp.count > 20 { lines.append("                    and \(takenUp.count - 20) more") }
        lines.append("uploads           \(contents) need not be made again")
        for (watch, count) in takenAsImported.sorted(by: { $0.key < $1.key }) {
            lines.append(
                "kept files        \(count) in watch '\(watch)' are taken as imported; touch those that are new")
        }
        if !sendsAgain, !takenUp.isEmpty {
            lines.append(
                "Deletions, and rows without a global key, cannot be looked up: their manifests go to failed/, and say so."
            )
        }
        if let movedAside { lines.append("The old ledger is in \(movedAside); it is yours to keep or delete.") }
        lines.append(isDryRun ? "Nothing was changed." : "Done; start the daemon.")
        return lines
    }
}
