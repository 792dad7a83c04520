import Control
import Files
import Foundation
import Glibc
import Ledger
import SystemPackage
import TestSupport
import Testing

/// What the doctor says of requests that nobody took.
@Suite("The doctor on requests")
struct RequestCheckupTests {
    private let root: TemporaryFolder
    private let spool: FileSpool
    private let now = Date()

    init() throws {
        root = try TemporaryFolder()
        spool = FileSpool(root.path.appending("requests"))
        try spool.prepare()
        try root.write("", to: "requests/bell")
    }

    private func findings(isRunning: Bool = true, after seconds: TimeInterval = 0) -> [Finding] {
        RequestCheckup(state: root.path, isRunning: isRunning, now: now + seconds).findings()
    }

    private func write(_ text: String, _ name: String = "1-a.json") throws -> FilePath {
        let path = try root.write(text, to: FilePath("requests/\(name)"))
        chmod(path.string, 0o644)
        return path
    }

    /// As `datarowctl` writes it.
    private func ask(_ verb: OperatorVerb = .pause, name: String = "1795258800000-1f.json") throws -> FilePath {
        let fields = verb == .retry ? #""import": "i", "# : ""
        return try write(#"{"id": "1795258800000-1f", "verb": "\#(verb)", \#(fields)"asked_at": 1795258800}"#, name)
    }

    @Test("with nothing there, and with what was asked just now, all is well")
    func well() throws {
        #expect(findings().map(\.verdict) == [.ok])
        #expect(findings()[0].what == "nothing waits to be taken")
        _ = try ask()
        #expect(findings().map(\.what) == ["1 wait, and are taken at once"])
        #expect(findings(isRunning: false).map(\.what) == ["1 wait, and are taken when the daemon starts"])
    }

    @Test("what a daemon that runs did not take within minutes is named, with who asked for what")
    func stale() throws {
        let path = try ask(.retry)
        #expect(findings(after: 170).map(\.verdict) == [.ok])
        let finding = try #require(findings(after: 200).first)
        #expect(finding.verdict == .warning && finding.subject == path.string)
        #expect(finding.what.contains("asked for 'retry' 3m"))
        #expect(finding.what.contains("though datarowd runs") && finding.hint.contains("journalctl"))
    }

    @Test("while no daemon runs a request may wait, but after a day it may be wanted no more")
    func forgotten() throws {
        _ = try ask()
        #expect(findings(isRunning: false, after: 80_000).map(\.verdict) == [.ok])
        let finding = try #require(findings(isRunning: false, after: 90_000).first)
        #expect(finding.verdict == .warning && finding.what.contains("'pause' 1d"))
        #expect(finding.hint.hasPrefix("remove it"))
    }

    @Test(
        "what is no request is named with the reason",
        arguments: [
            ("", "no request of this version"), ("{", "no request of this version"),
            ("[]", "no request of this version"),
            (#"{"id": "1", "verb": "explode", "asked_at": 1}"#, "no request of this version"),
            (#"{"id": "\u001b[2J", "verb": "pause", "asked_at": 1}"#, "its id is no id"),
            (#"{"id": "1", "verb": "pause", "asked_at": 1e300}"#, "the time at which"),
            (#"{"id": "1", "verb": "cancel", "asked_at": 1}"#, "which import"),
            (#"{"id": "1", "verb": "pause", "watch": "", "asked_at": 1}"#, "has no name"),
        ])
    func malformed(text: String, reason: String) throws {
        let path = try write(text)
        let finding = try #require(findings().first)
        #expect(finding.verdict == .problem && finding.subject == path.string, "\(finding)")
        #expect(
            finding.what.contains(reason) && finding.hint == "remove it, and ask again with datarowctl", "\(finding)")
    }

    @Test("files that are not what they seem are named")
    func disguised() throws {
        let secret = try root.write("{}", to: "secret")
        try root.link("requests/1.json", to: secret)
        #expect(link(secret.string, spool.folder.appending("2.json").string) == 0)
        try root.makeFolder("requests/3.json")
        _ = try write("", "notes")
        _ = try write("", ".77.datarowd-tmp")
        let found = findings()
        #expect(found.count == 3, "what somebody may be writing is left alone: \(found)")
        #expect(found[0].what.contains("no regular file") && found[0].verdict == .problem)
        #expect(found[1].what.contains("another name") && found[1].verdict == .problem)
        #expect(found[2].what == "no request, and never taken" && found[2].verdict == .warning)
        let later = findings(after: 200)
        #expect(later.contains { $0.what.contains("interrupted") } && later.contains { $0.subject.hasSuffix("/notes") })
    }

    @Test(
        "a folder that others may write to is a problem",
        arguments: [(0o1772, Finding.Verdict.problem), (0o770, .warning)])
    func mode(mode: Int, verdict: Finding.Verdict) throws {
        chmod(spool.folder.string, mode_t(mode))
        let finding = try #require(findings().first)
        #expect(finding.verdict == verdict && finding.hint == "chmod 1770 \(spool.folder)")
    }

    @Test(
        "files that the daemon may not read, and a folder that is not the daemon's, are named",
        .enabled(if: getuid() == 0))
    func owners() throws {
        // The daemon is user 4711, the operator 4712 with a group of his own.
        for path in [root.path, spool.folder] { chown(path.string, 4_711, 4_711) }
        let path = try ask()
        chown(path.string, 4_712, 4_712)
        #expect(findings().map(\.verdict) == [.ok])
        chmod(path.string, 0o640)
        let unreadable = try #require(findings().first)
        #expect(unreadable.what == "the daemon may not read it (mode 0640, of user 4712): it is refused")
        chown(path.string, 4_712, 4_711)
        #expect(findings().map(\.verdict) == [.ok], "by its group it may")
        chown(spool.folder.string, 0, 4_711)
        let folder = try #require(findings().first)
        #expect(folder.verdict == .problem && folder.hint == "chown user 4711 \(spool.folder)", "\(folder)")
    }

    @Test("of many the first are named and the others counted")
    func many() throws {
        for number in 10..<40 { _ = try write("", "\(number).json") }
        let found = findings()
        #expect(found.count == 21 && found[20].what == "10 more like these")
    }

    @Test("a state directory in which no daemon ran has no such folder")
    func missing() throws {
        let other = try TemporaryFolder()
        let found = RequestCheckup(state: other.path, isRunning: false, now: now).findings()
        #expect(found.map(\.what) == ["it is not there, so nothing can be asked for"])
        #expect(RequestCheckup(state: "/nowhere/at/all", isRunning: false, now: now).findings().isEmpty)
    }
}
