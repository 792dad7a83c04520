/// One event of the log, as one line that does what it says and nothing else.
///
/// Names of files and words of servers get into it, so nothing in it may begin another line, act on a terminal, or turn
/// the direction of what follows; see ``HarmlessText``.
public struct LogLine: Sendable {
    /// How it looks.
    public enum Format: Sendable {
        /// Time, level, words: for a terminal.
        case text
        /// One JSON object.
        case json
        /// A priority in front that journald takes off, and no time, since it has its own.
        case journald
    }

    /// When it happened, as ``Timestamp`` writes it.
    public var time: String
    /// `info` and the like.
    public var level: String
    /// The level as syslog counts, from 0 to 7.
    public var priority: Int
    public var message: String
    /// What else is said, by names that are constants of the program.
    public var details: [(key: String, value: String)]

    /// Creates a line.
    public init(time: String, level: String, priority: Int, message: String, details: [(key: String, value: String)]) {
        self.time = time
        self.level = level
        self.priority = priority
        self.message = message
        self.details = details
    }

    /// The line with the line break that ends it.
    public func text(_ format: Format) -> String {
        switch format {
        case .text: "\(time) \(level.uppercased()) \(words)\n"
        case .journald: "<\(priority)>\(words)\n"
        case .json: json + "\n"
        }
    }

    var words: String {
        var words = HarmlessText.of(message)
        for (key, value) in details { words += " \(key)=\(Self.quoted(value))" }
        return words
    }

    private var json: String {
        var members = [("level", level), ("message", message), ("time", time)]
        members += details.filter { detail in !members.contains { $0.0 == detail.key } }
        var writer = JSONWriter()
        writer.object { json in
            for (key, value) in members.sorted(by: { $0.0 < $1.0 }) { json.member(key, value) }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The value as it is where that leaves no doubt, else in quotes.
    private static func quoted(_ text: String) -> String {
        // By scalars: a mark that combines with the quote before it would hide it.
        var isPlain = !text.isEmpty
        var quoted = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == " " || scalar == "=" || HarmlessText.isHidden(scalar) { isPlain = false }
            if scalar == "\"" || scalar == "\\" {
                if scalar == "\"" { isPlain = false }
                quoted.append("\\")
            }
            quoted.append(scalar)
        }
        return isPlain ? text : "\"" + HarmlessText.of(String(quoted)) + "\""
    }
}
