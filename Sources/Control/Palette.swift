public import Ledger

/// The few colours that there are, or none.
public struct Palette: Sendable {
    private let isOn: Bool

    /// - Parameters:
    ///   - isTerminal: Whether the output goes to a terminal.
    ///   - environment: `NO_COLOR` and `TERM=dumb` turn colours off.
    public init(isTerminal: Bool, environment: [String: String]) {
        let wantsNone = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        isOn = isTerminal && !wantsNone && environment["TERM"] != "dumb"
    }

    public static let none = Palette(isTerminal: false, environment: [:])

    public func state(_ text: String, _ state: ImportState) -> String {
        switch state {
        case .complete: paint(text, 32)
        case .completeWithErrors, .waitingForMedia: paint(text, 33)
        case .failed, .rejected, .cancelled: paint(text, 31)
        case .importing: paint(text, 36)
        case .settling, .queued: text
        }
    }

    public func good(_ text: String) -> String { paint(text, 32) }
    public func bad(_ text: String) -> String { paint(text, 31) }
    public func bold(_ text: String) -> String { paint(text, 1) }

    private func paint(_ text: String, _ code: Int) -> String { isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}
