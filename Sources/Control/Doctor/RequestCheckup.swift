internal import Files
package import Foundation
internal import Glibc
internal import Ledger
internal import Reporting
package import SystemPackage

/// Looks at what operators asked for and the daemon has not taken.
package struct RequestCheckup {
    private let state: FilePath
    private let isRunning: Bool
    private let now: Date

    /// A daemon that runs takes a request at once, and within a minute where events do not come.
    private static let longestWhileRunning: TimeInterval = 180
    /// What was asked longer ago may be wanted no more.
    private static let longestWhileDown: TimeInterval = 86_400
    /// So many are named, and the others are counted.
    private static let mostNamed = 20

    /// - Parameters:
    ///   - state: The state directory.
    ///   - isRunning: Whether a daemon runs with it.
    ///   - now: The time.
    package init(state: FilePath, isRunning: Bool, now: Date) {
        self.state = state
        self.isRunning = isRunning
        self.now = now
    }

    package func findings() -> [Finding] {
        let spool = FileSpool(state.appending(StateDirectory.requests))
        guard let folder = Permissions.look(spool.folder) else {
            // A state directory that is not there, or may not be looked at, is told of as such.
            guard errno == ENOENT, Permissions.look(state) != nil else { return [] }
            return [
                Finding(
                    "requests", .warning, subject: "\(spool.folder)", "it is not there, so nothing can be asked for",
                    hint: "start the daemon, which makes it")
            ]
        }
        var findings = self.folder(folder, at: spool.folder)
        let sights: [FileSpool.Sight]
        do throws(FileError) { sights = try spool.sights(limit: 10_000) } catch {
            return findings + [
                Finding(
                    "requests", .warning, subject: "\(spool.folder)", "it cannot be looked into: \(error.errno)",
                    hint: "run datarowctl as root, or as a member of the daemon's group")
            ]
        }
        let bell = StateDirectory.requestBell.string
        let odd = sights.filter { $0.name != bell }.compactMap { look(at: $0, in: spool, of: folder.st_uid) }
        findings += odd.prefix(Self.mostNamed)
        if odd.count > Self.mostNamed {
            findings.append(
                Finding(
                    "requests", .warning, subject: "\(spool.folder)", "\(odd.count - Self.mostNamed) more like these",
                    hint: "look at the folder itself"))
        }
        let waiting = sights.count(where: \.isItem)
        if findings.isEmpty {
            let what =
                waiting == 0
                ? "nothing waits to be taken"
                : "\(waiting) wait, and are taken \(isRunning ? "at once" : "when the daemon starts")"
            findings.append(Finding("requests", .ok, subject: "\(spool.folder)", what))
        }
        return findings
    }

    /// Whether only the daemon's group may ask, and the daemon may take what it asks.
    private func folder(_ folder: stat, at path: FilePath) -> [Finding] {
        var findings: [Finding] = []
        let mode = Permissions.text(folder.st_mode)
        if folder.st_mode & S_IWOTH != 0 {
            findings.append(
                Finding(
                    "requests", .problem, subject: "\(path)",
                    "every user of this machine may steer the daemon (mode \(mode))", hint: "chmod 1770 \(path)"))
        } else if folder.st_mode & S_ISVTX == 0 {
            findings.append(
                Finding(
                    "requests", .warning, subject: "\(path)",
                    "operators may take away what others asked for (mode \(mode))", hint: "chmod 1770 \(path)"))
        }
        if let owner = Permissions.look(state)?.st_uid, owner != folder.st_uid {
            findings.append(
                Finding(
                    "requests", .problem, subject: "\(path)",
                    "it belongs to \(Permissions.userName(folder.st_uid)), and the state directory to "
                        + "\(Permissions.userName(owner)): the daemon cannot take what lies there",
                    hint: "chown \(Permissions.userName(owner)) \(path)"))
        }
        return findings
    }

    /// What is wrong with a file; nil where it is a request that will be taken.
    private func look(at sight: FileSpool.Sight, in spool: FileSpool, of daemon: UInt32) -> Finding? {
        let subject = spool.folder.appending(sight.name).string
        let age = now.timeIntervalSince1970 - Double(sight.changedAt)
        func finding(_ verdict: Finding.Verdict, _ what: String, _ hint: String) -> Finding {
            Finding("requests", verdict, subject: subject, what, hint: hint)
        }
        guard sight.isItem else {
            // Somebody may be writing it.
            guard age > Self.longestWhileRunning || !sight.isRegular else { return nil }
            return finding(
                .warning,
                sight.name.hasSuffix(TemporaryName.suffix)
                    ? "left by a datarowctl that was interrupted: nothing was asked" : "no request, and never taken",
                "remove it")
        }
        let by = Permissions.userName(sight.owner)
        guard sight.isRegular, sight.names == 1 else {
            return finding(
                .problem,
                sight.isRegular
                    ? "it has another name elsewhere, so nobody knows whose it is: it is refused"
                    : "it is no regular file: it is refused",
                "remove it, and ask again with datarowctl")
        }
        let isReadable =
            sight.owner == daemon || sight.mode & S_IROTH != 0 || daemon == 0
            || sight.group == Permissions.look(spool.folder)?.st_gid && sight.mode & S_IRGRP != 0
        guard isReadable else {
            return finding(
                .problem, "the daemon may not read it (mode \(Permissions.text(sight.mode)), of \(by)): it is refused",
                "remove it, and ask again with datarowctl")
        }
        switch spool.read(sight.name)?.content {
        case nil: return nil
        case .failure(let error):
            return finding(.warning, "it cannot be read: \(error.errno)", "run datarowctl doctor as the daemon's user")
        case .success(let bytes):
            do throws(RequestFileError) {
                return waiting(try RequestFile.read(bytes).verb.rawValue, by: by, age: age).map {
                    finding(.warning, $0.what, $0.hint)
                }
            } catch {
                return finding(
                    .problem, "\(error) (of \(by)): it is refused", "remove it, and ask again with datarowctl")
            }
        }
    }

    private func waiting(_ verb: String, by: String, age: TimeInterval) -> (what: String, hint: String)? {
        let since = "\(by) asked for '\(verb)' \(AgeText.of(max(0, age))) ago"
        if isRunning, age > Self.longestWhileRunning {
            return (
                "\(since), and it was not taken though datarowd runs",
                "see why: journalctl -u datarowd -g 'Requests not taken'"
            )
        }
        if !isRunning, age > Self.longestWhileDown {
            return (
                "\(since); it is done when datarowd starts, before anything is sent",
                "remove it, if it is not wanted any more"
            )
        }
        return nil
    }
}
