/// A piece of the program that reads what others wrote, and a property that holds whatever they wrote.
///
/// libFuzzer drives it in `Scripts/fuzz`; a test gives it every seed of `Tests/Fuzz/Corpus`.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Three checks of JSON, and two readers, against one another.
    case grammar
    /// Both passes over a manifest.
    case manifest
    /// Compressed manifests.
    case inflation
    /// Answers of the API, by every operation.
    case answer
    /// Result files of imports in the older form, which are read as they come.
    case legacy
    /// Headers of answers.
    case header
    /// The framing of uploads.
    case multipart
    /// Configuration files.
    case settings
    /// Parts of results, as they lie on disk.
    case results
    /// Rows that are made for media without a manifest.
    case loose
    /// Requests to the status page's port.
    case door
    /// What operators ask for, as files that any of their group may write.
    case request
    /// Text on its way to terminals, logs and status files.
    case text

    /// Tries one input.
    ///
    /// - Parameter input: any bytes.
    /// - Throws: ``Finding`` when the property does not hold.
    package func run(_ input: [UInt8]) throws {
        switch self {
        case .grammar: try GrammarTarget.run(input)
        case .manifest: try ManifestTarget.run(input)
        case .inflation: try InflationTarget.run(input)
        case .answer: try AnswerTarget.run(input)
        case .legacy: try LegacyTarget.run(input)
        case .header: try HeaderTarget.run(input)
        case .multipart: try MultipartTarget.run(input)
        case .settings: try SettingsTarget.run(input)
        case .results: try ResultsTarget.run(input)
        case .loose: try LooseTarget.run(input)
        case .door: try DoorTarget.run(input)
        case .request: try RequestTarget.run(input)
        case .text: try TextTarget.run(input)
        }
    }
}

/// A property that did not hold.
package struct Finding: Error, CustomStringConvertible {
    package let description: String
}

/// Throws a ``Finding`` unless the condition holds.
func hold(_ condition: Bool, _ what: @autoclosure () -> String) throws(Finding) {
    if !condition { throw Finding(description: what()) }
}

/// Choices that the first bytes of an input make; past its end they are all 0.
struct Choices {
    private(set) var rest: ArraySlice<UInt8>

    init(_ input: [UInt8]) { rest = input[...] }

    mutating func byte() -> Int { rest.popFirst().map(Int.init) ?? 0 }

    mutating func pick<Choice>(_ choices: [Choice]) -> Choice { choices[byte() % choices.count] }
}

extension Sequence<UInt8> {
    /// For messages.
    var quoted: String { String(decoding: Array(self), as: UTF8.self).debugDescription }
}
