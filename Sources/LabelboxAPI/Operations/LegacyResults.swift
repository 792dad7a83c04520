internal import Locking

/// Something that stands in the result file of an import in the older form.
public enum LegacyResult: Hashable, Sendable {
    case created(CreatedRow)
    case failed(FailedRow)
    /// Why the import as a whole failed, in the server's words: text, or an object as JSON.
    case error(String)
}

extension LabelboxClient {
    /// Reads the result file of an import in the older form, from the address that its task names.
    ///
    /// The key is not sent: the file is kept elsewhere. It is read as it comes and never held as a whole, so it may be of
    /// any length.
    ///
    /// - Parameters:
    ///   - url: as the task has it; such addresses may expire.
    ///   - start: what `take` begins with, at each attempt.
    ///   - take: gets each entry in the order of the file, without `rowData`.
    /// - Returns: what `take` made of all entries.
    /// - Throws: ``LabelboxError``.
    public func legacyTaskResult<State: Sendable>(
        _ url: String, into start: State, _ take: @escaping @Sendable (inout State, LegacyResult) -> Void
    ) async throws(LabelboxError) -> State {
        try await fetch(url, operation: "taskResult") { LegacyResultFile(start, take) }
    }
}

/// A result file while it comes in.
private final class LegacyResultFile<State: Sendable>: FileReading {
    private let parts: Locked<(reader: LegacyResultReader, state: State)>
    private let take: @Sendable (inout State, LegacyResult) -> Void

    init(_ start: State, _ take: @escaping @Sendable (inout State, LegacyResult) -> Void) {
        parts = Locked((LegacyResultReader(), start))
        self.take = take
    }

    func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        parts.withLock { parts in
            parts.reader.read(bytes) { take(&parts.state, $0) }
            return parts.reader.failure == nil
        }
    }

    func finish() throws(BadAnswer) -> State {
        let result = parts.withLock { parts -> Result<State, BadAnswer> in
            if let failure = parts.reader.end { return .failure(BadAnswer(message: failure)) }
            return .success(parts.state)
        }
        return try result.get()
    }
}

/// Takes a result file apart, byte by byte as it comes; holds one row of it at a time.
package struct LegacyResultReader {
    /// Where in the file the next byte stands; the lists and objects that are walked through, and nothing deeper.
    private enum Place {
        case before, root, created, errors, error, failedRows, after

        var isObject: Bool { self == .root || self == .error }
    }

    /// What is done with the value that comes.
    private enum Wanted { case createdRow, failedRow, message, error, nothing }

    /// Why the file is not what it should be; nothing is read any more then.
    package private(set) var failure: String?
    private var places: [Place] = [.before]
    /// The key of the member whose value comes next, in an object.
    private var key: String?
    private var hasColon = false
    /// Whether any of the members that such a file has was there.
    private var isKnown = false

    // The value that is being collected or skipped.
    private var value: [UInt8] = []
    private var wanted: Wanted?
    private var isKey = false
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    // One element of `errors`.
    private var message: String?
    /// Rows that came before the message that is theirs.
    private var waiting: [FailedRow] = []

    /// No row is this long; what is, is no such file.
    private static let longestValue = 64 << 20

    package init() {}

    /// Reads on, and hands out what became whole.
    package mutating func read(_ bytes: UnsafeRawBufferPointer, _ take: (LegacyResult) -> Void) {
        for byte in bytes {
            guard failure == nil else { return }
            if wanted != nil || isKey { collect(byte, take) } else { step(byte, take) }
        }
    }

    /// What is wrong now that the file has ended; nil when nothing is.
    package var end: String? {
        if let failure { return failure }
        guard places == [.after] else { return "the result file ends too early" }
        return isKnown ? nil : "the result file has neither createdDataRows nor errors nor error"
    }

    // MARK: Between values

    private mutating func step(_ byte: UInt8, _ take: (LegacyResult) -> Void) {
        guard let place = places.last else { return }
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): return
        case UInt8(ascii: ","):
            if key != nil || place == .before || place == .after { failure = "the result file is not JSON" }
        case UInt8(ascii: "]") where !place.isObject && place != .before && place != .after: places.removeLast()
        case UInt8(ascii: "}") where place.isObject && key == nil:
            if place == .error { endError(take) }
            places.removeLast()
            if places == [.before] { places = [.after] }
        case UInt8(ascii: ":") where place.isObject && key != nil && !hasColon: hasColon = true
        case UInt8(ascii: "\"") where place.isObject && key == nil: begin(byte, as: nil)
        default:
            switch place {
            case .before where byte == UInt8(ascii: "{"): places.append(.root)
            case .root where hasColon, .error where hasColon: member(byte, of: place)
            case .errors where byte == UInt8(ascii: "{"): places.append(.error)
            case .errors: begin(byte, as: .nothing)
            case .created: begin(byte, as: .createdRow)
            case .failedRows: begin(byte, as: .failedRow)
            default: failure = "the result file holds no object"
            }
        }
    }

    /// The first byte of a member's value.
    private mutating func member(_ byte: UInt8, of place: Place) {
        let name = key
        key = nil
        hasColon = false
        let isList = byte == UInt8(ascii: "[")
        if place == .root, ["createdDataRows", "errors", "error"].contains(name) { isKnown = true }
        switch (place, name) {
        case (.root, "createdDataRows") where isList: places.append(.created)
        case (.root, "errors") where isList: places.append(.errors)
        case (.root, "error"): begin(byte, as: .error)
        case (.error, "message"): begin(byte, as: .message)
        case (.error, "failedDataRows") where isList: places.append(.failedRows)
        default: begin(byte, as: .nothing)
        }
    }

    private mutating func endError(_ take: (LegacyResult) -> Void) {
        for row in waiting { take(.failed(row.refused(message ?? Self.noMessage))) }
        waiting = []
        message = nil
    }

    private static let noMessage = "refused without a message"

    // MARK: Within a value

    private static let valueStarts = Set(#"{["tfn-0123456789"#.utf8)

    private mutating func begin(_ byte: UInt8, as wanted: Wanted?) {
        guard Self.valueStarts.contains(byte) else {
            failure = "the result file is not JSON"
            return
        }
        self.wanted = wanted
        isKey = wanted == nil
        value.removeAll(keepingCapacity: true)
        if wanted != .nothing { value.append(byte) }
        depth = byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") ? 1 : 0
        isInString = byte == UInt8(ascii: "\"")
        isEscaped = false
    }

    private mutating func collect(_ byte: UInt8, _ take: (LegacyResult) -> Void) {
        if isInString {
            keep(byte)
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
                if depth == 0 { whole(take) }
            }
            return
        }
        switch byte {
        case UInt8(ascii: "\""):
            isInString = true
            keep(byte)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            keep(byte)
        case UInt8(ascii: "}") where depth > 0, UInt8(ascii: "]") where depth > 0:
            depth -= 1
            keep(byte)
            if depth == 0 { whole(take) }
        case UInt8(ascii: ",") where depth == 0, UInt8(ascii: "}"), UInt8(ascii: "]"):
            // A number or a word has ended, and this is what comes after it.
            whole(take)
            step(byte, take)
        default: keep(byte)
        }
    }

    private mutating func keep(_ byte: UInt8) {
        guard wanted != .nothing else { return }
        value.append(byte)
        if value.count > Self.longestValue { failure = "a value in the result file has no end" }
    }

    /// The value is whole: hands out what it is.
    private mutating func whole(_ take: (LegacyResult) -> Void) {
        defer {
            wanted = nil
            isKey = false
        }
        if wanted == .nothing { return }
        do {
            let value = try JSONParser.parse(value)
            switch wanted {
            case nil: key = value.string
            case .createdRow: take(.created(try ResultLists.created(node: value).brief))
            case .failedRow:
                let row = FailedRow(
                    message: message ?? "", externalID: value["externalId"]?.text, globalKey: value["globalKey"]?.text)
                if message == nil { waiting.append(row) } else { take(.failed(row)) }
            case .message: message = value.text ?? Self.noMessage
            case .error: if let text = value.text { take(.error(text)) }
            case .nothing: break
            }
        } catch let error as JSONParser.Failure {
            failure = "the result file is not JSON: \(error.description)"
        } catch let error as BadAnswer {
            failure = error.message
        } catch {
            failure = "\(error)"
        }
    }
}

extension FailedRow {
    fileprivate func refused(_ message: String) -> FailedRow {
        FailedRow(message: message, externalID: externalID, globalKey: globalKey, rowData: rowData)
    }
}

extension CreatedRow {
    /// Without its data, which is by far the longest of it.
    fileprivate var brief: CreatedRow { CreatedRow(id: id, externalID: externalID, globalKey: globalKey) }
}
