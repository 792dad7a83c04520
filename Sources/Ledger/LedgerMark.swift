internal import Glibc
internal import SystemPackage

/// A small file beside the ledger that says how many commits the ledger has.
///
/// SQLite takes a log that ends early, for whatever reason, for one whose last commits never came to be, and goes on
/// from an older state: what had been sent would be sent again. So each commit counts itself, and once it is on the disk
/// its number is written here, before anybody acts upon it. A ledger with a smaller number is not the one that was left.
///
/// The mark is not synced: it never says more than the ledger has, and after a loss of power it may say less.
final class LedgerMark: Sendable {
    private let descriptor: CInt

    /// Opens the mark of a ledger, or makes it.
    init(besides ledger: String) throws(LedgerError) {
        descriptor = open(Self.path(ledger), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o660)
        guard descriptor >= 0 else {
            throw .unavailable(
                path: ledger, why: "\(Self.path(ledger)) cannot be opened: \(Errno(rawValue: errno))")
        }
    }

    deinit { close(descriptor) }

    /// Where the mark of a ledger lies.
    static func path(_ ledger: String) -> String { "\(ledger)-mark" }

    /// Says that the ledger has so many commits.
    ///
    /// What cannot be written is left out: it is a witness, and the next commit writes it again.
    func write(_ commits: Int) {
        let line = Array(Self.line(commits).utf8)
        _ = pwrite(descriptor, line, line.count, 0)
    }

    /// More commits than any ledger has: while a rebuild puts another one in its place, nobody may work with either.
    static let barred = Int.max / 2

    func sync() { _ = fsync(descriptor) }

    /// How many commits the ledger had at least; `nil` where no mark, or none that is whole, says so.
    static func read(besides ledger: String) -> Int? {
        let descriptor = open(path(ledger), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: line(0).utf8.count)
        guard pread(descriptor, &bytes, bytes.count, 0) == bytes.count else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let commits = Int(text.prefix(digits)), text == line(commits) else { return nil }
        return commits
    }

    private static let digits = 20

    /// The number and a sum of it, always as long, so that it is written over in place.
    private static func line(_ commits: Int) -> String {
        let sum = UInt64(commits).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return "\(padded(String(commits), to: digits)) \(padded(String(sum.high ^ sum.low, radix: 16), to: 16))\n"
    }

    private static func padded(_ text: String, to length: Int) -> String {
        String(repeating: "0", count: max(0, length - text.count)) + text
    }
}
