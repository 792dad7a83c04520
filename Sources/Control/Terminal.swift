internal import Glibc

/// Where the output goes.
public struct Terminal: Sendable, Hashable {
    public var isTerminal: Bool
    public var columns: Int
    public var rows: Int
    /// Whether what was written can be drawn over.
    public var canRedraw: Bool

    /// Asks the system about standard output, now; a terminal may be resized at any time.
    public static func current(environment: [String: String]) -> Terminal {
        var size = winsize()
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let canRedraw = isTerminal && !["", "dumb"].contains(environment["TERM"] ?? "")
        if isTerminal, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
            return Terminal(
                isTerminal: true, columns: Int(size.ws_col), rows: max(4, Int(size.ws_row)),
                canRedraw: canRedraw)
        }
        let columns = environment["COLUMNS"].flatMap { Int($0) }.map { max(20, $0) }
        return Terminal(isTerminal: isTerminal, columns: columns ?? 80, rows: 24, canRedraw: canRedraw)
    }

    /// How wide tables may be; `nil` where a program reads them, and nothing may be cut.
    public var tableWidth: Int? { isTerminal ? columns : nil }

    /// Whether the terminal shows more than ASCII.
    public static func hasUnicode(_ environment: [String: String]) -> Bool {
        let locale =
            [environment["LC_ALL"], environment["LC_CTYPE"], environment["LANG"]].compactMap { $0 }
            .first { !$0.isEmpty } ?? ""
        return locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
    }

    /// Ends as programs do whose reader went away, also where SIGPIPE was ignored by who started this one.
    private static func endByBrokenPipe() -> Never {
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
        exit(128 + SIGPIPE)
    }

    /// Writes to standard output, all of it.
    ///
    /// - Throws: ``ControlError``; a reader that went away ends the program quietly by SIGPIPE, as it does others.
    public static func write(_ bytes: [UInt8]) throws(ControlError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                if errno == EPIPE { endByBrokenPipe() }
                throw ControlError(
                    "standard output", why: String(cString: strerror(errno)), hint: "see where it goes", status: .io)
            }
            rest = rest.dropFirst(written)
        }
    }
}
