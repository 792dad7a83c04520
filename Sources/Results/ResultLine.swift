internal import DataRows

/// What became of one row, as a line of the results file.
///
/// There is a line for each of perhaps millions of rows, so keys and ids are passed as the JSON text that was read
/// and written on as bytes, without a detour over `String`.
public struct ResultLine: Sendable, Hashable {
    /// The words for how a row ended.
    public enum Outcome: String, Sendable, Hashable, CaseIterable {
        case created
        case updated
        case alreadyPresent = "already_present"
        case failed
        case rejected
        case deleted

        /// Whether the row is on the server as wanted.
        public var isSuccess: Bool { self != .failed && self != .rejected }
    }

    /// Why a row did not succeed.
    public struct Failure: Sendable, Hashable {
        /// A stable word for programs.
        public var code: String
        /// A sentence for people.
        public var message: String

        public init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    /// The row's number in its manifest, counted from 0.
    public var row: Int
    /// A JSON string with its quotes, as written in the manifest; `nil` becomes `null`.
    public var globalKey: ArraySlice<UInt8>?
    /// A JSON string with its quotes, as written in the manifest; `nil` becomes `null`.
    public var externalID: ArraySlice<UInt8>?
    public var outcome: Outcome
    /// A JSON string with its quotes.
    public var dataRowID: ArraySlice<UInt8>?
    public var failure: Failure?

    public init(
        row: Int, globalKey: ArraySlice<UInt8>?, externalID: ArraySlice<UInt8>?, outcome: Outcome,
        dataRowID: ArraySlice<UInt8>? = nil, failure: Failure? = nil
    ) {
        self.row = row
        self.globalKey = globalKey
        self.externalID = externalID
        self.outcome = outcome
        self.dataRowID = dataRowID
        self.failure = failure
    }

    /// Text as the JSON string that ``globalKey``, ``externalID`` and ``dataRowID`` want.
    public static func quoted(_ text: String) -> ArraySlice<UInt8> {
        var bytes: [UInt8] = []
        JSONText.appendString(text.utf8, to: &bytes)
        return bytes[...]
    }

    /// Appends the line with its line break.
    public func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: Self.rowPrefix)
        Self.append(row, to: &bytes)
        bytes.append(contentsOf: Self.globalKeyPrefix)
        Self.append(globalKey, to: &bytes)
        bytes.append(contentsOf: Self.externalIDPrefix)
        Self.append(externalID, to: &bytes)
        bytes.append(contentsOf: Self.outcomePrefix)
        bytes.append(contentsOf: outcome.rawValue.utf8)
        bytes.append(UInt8(ascii: "\""))
        if let dataRowID {
            bytes.append(contentsOf: Self.dataRowIDPrefix)
            bytes.append(contentsOf: dataRowID)
        }
        if let failure {
            bytes.append(contentsOf: Self.codePrefix)
            JSONText.appendString(failure.code.utf8, to: &bytes)
            bytes.append(contentsOf: Self.messagePrefix)
            JSONText.appendString(failure.message.utf8, to: &bytes)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "}"))
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Appends the line of a row that was created, as ``append(to:)`` would: nearly all lines are of those.
    ///
    /// - Parameters:
    ///   - row: the row's number.
    ///   - globalKey: a JSON string with its quotes.
    ///   - externalID: a JSON string with its quotes; `nil` becomes `null`.
    ///   - dataRowID: the id itself, in UTF-8.
    ///   - bytes: what the line is appended to.
    public static func appendCreated(
        row: Int, globalKey: UnsafeRawBufferPointer, externalID: UnsafeRawBufferPointer?,
        dataRowID: UnsafeRawBufferPointer, to bytes: inout [UInt8]
    ) {
        let most = 128 + globalKey.count + (externalID?.count ?? 0) + dataRowID.count
        let isPlain = dataRowID.allSatisfy { $0 >= 0x20 && $0 != 0x22 && $0 != 0x5c }
        guard isPlain, most <= 1_024 else {
            var id: [UInt8] = []
            JSONText.appendString(dataRowID, to: &id)
            return ResultLine(
                row: row, globalKey: Array(globalKey)[...], externalID: externalID.map { Array($0)[...] },
                outcome: .created, dataRowID: id[...]
            ).append(to: &bytes)
        }
        // In one piece, on the stack: an array that grows by nine pieces looks at itself nine times.
        withUnsafeTemporaryAllocation(byteCount: most, alignment: 1) { line in
            var end = 0
            func put(_ piece: UnsafeRawBufferPointer) {
                UnsafeMutableRawBufferPointer(rebasing: line[end...]).copyMemory(from: piece)
                end += piece.count
            }
            func put(_ piece: StaticString) {
                put(UnsafeRawBufferPointer(start: piece.utf8Start, count: piece.utf8CodeUnitCount))
            }
            put("{\"row\":")
            let first = end
            var rest = row
            repeat {
                line[end] = UInt8(48 + rest % 10)
                end += 1
                rest /= 10
            } while rest > 0
            line[first..<end].reverse()
            put(",\"global_key\":")
            put(globalKey)
            put(",\"external_id\":")
            if let externalID { put(externalID) } else { put("null") }
            put(",\"outcome\":\"created\",\"data_row_id\":\"")
            put(dataRowID)
            put("\"}\n")
            bytes.append(contentsOf: line[..<end])
        }
    }

    static let rowPrefix = Array("{\"row\":".utf8)
    static let outcomePrefix = Array(",\"outcome\":\"".utf8)
    private static let globalKeyPrefix = Array(",\"global_key\":".utf8)
    private static let externalIDPrefix = Array(",\"external_id\":".utf8)
    private static let dataRowIDPrefix = Array(",\"data_row_id\":".utf8)
    private static let codePrefix = Array(",\"error\":{\"code\":".utf8)
    private static let messagePrefix = Array(",\"message\":".utf8)
    private static let null = Array("null".utf8)

    private static func append(_ text: ArraySlice<UInt8>?, to bytes: inout [UInt8]) {
        if let text { bytes.append(contentsOf: text) } else { bytes.append(contentsOf: null) }
    }

    /// Appends a number that is not negative, without a `String`.
    private static func append(_ number: Int, to bytes: inout [UInt8]) {
        precondition(number >= 0, "rows are counted from 0")
        let start = bytes.count
        var rest = number
        repeat {
            bytes.append(UInt8(48 + rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }
}
