/// One event of the log as journald takes it: fields of its own, which can be searched for.
///
/// The protocol is documented as stable: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/
public struct JournalEntry: Sendable {
    /// What the fields' names begin with that are not journald's own.
    static let prefix = "DATAROWD_"

    private let line: LogLine
    private let messageID: String?
    private let identifier: String

    /// Creates an entry.
    ///
    /// - Parameters:
    ///   - line: what happened.
    ///   - messageID: 32 hexadecimal digits that stand for this kind of event, in the catalog too.
    ///   - identifier: the program's name.
    public init(_ line: LogLine, messageID: String?, identifier: String) {
        self.line = line
        self.messageID = messageID
        self.identifier = identifier
    }

    /// The datagram.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        add("MESSAGE", line.words, to: &bytes)
        add("PRIORITY", "\(line.priority)", to: &bytes)
        add("SYSLOG_IDENTIFIER", identifier, to: &bytes)
        if let messageID { add("MESSAGE_ID", messageID, to: &bytes) }
        for (key, value) in line.details {
            let name = String(key.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
            add(Self.prefix + name, HarmlessText.of(value), to: &bytes)
        }
        return bytes
    }

    /// A field by its length, so that no value can begin another field.
    private func add(_ name: String, _ value: String, to bytes: inout [UInt8]) {
        bytes += name.utf8
        bytes.append(10)
        let count = UInt64(value.utf8.count)
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: count >> UInt64(shift))) }
        bytes += value.utf8
        bytes.append(10)
    }
}
