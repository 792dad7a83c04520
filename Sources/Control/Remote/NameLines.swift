internal import LabelboxAPI
public import SystemPackage

/// Names of rows from a file, one a line: as they are, or as JSON objects, such as `rows list` prints, with a member of that name.
public struct NameLines: Sendable {
    /// What the lines hold.
    public enum Kind: String, Sendable, CaseIterable {
        case id
        case globalKey = "global-key"
        case externalID = "external-id"

        func name(_ text: String) -> RowName {
            switch self {
            case .id: .id(text)
            case .globalKey: .globalKey(text)
            case .externalID: .externalID(text)
            }
        }

        /// The members of an object that hold it: those of rows and those of results.
        fileprivate var members: [String] {
            switch self {
            case .id: ["id", "data_row_id"]
            case .globalKey: ["global_key"]
            case .externalID: ["external_id"]
            }
        }
    }

    private let kind: Kind
    private let source: String
    private let file: FileDescriptor
    private var buffer: [UInt8] = []
    private var start = 0
    private var hasEnded = false
    private var line = 0

    /// A longer line is no name, nor a row that has one.
    private static let longest = 16 << 20

    /// - Parameters:
    ///   - kind: What the lines hold.
    ///   - source: The file's name, for errors.
    ///   - file: Open for reading; it is read once, and never whole.
    public init(_ kind: Kind, of source: String, _ file: FileDescriptor) {
        self.kind = kind
        self.source = source
        self.file = file
    }

    /// The next name; `nil` at the end.
    ///
    /// Empty lines are passed over.
    public mutating func next() throws(ControlError) -> RowName? {
        while let bytes = try nextLine() {
            line += 1
            guard let text = String(validating: bytes, as: UTF8.self) else { throw failure("it is not UTF-8") }
            let trimmed = text.trimmed
            if trimmed.isEmpty { continue }
            guard trimmed.first == "{" else { return kind.name(trimmed) }
            let value: JSONValue
            do throws(JSONParser.Failure) { value = try JSONParser.parse(Array(trimmed.utf8)) } catch {
                throw failure("it is no JSON object: \(error.description)")
            }
            guard let name = kind.members.lazy.compactMap({ value[$0]?.string }).first else {
                throw failure("the object has no \(kind.members.joined(separator: " or "))")
            }
            return kind.name(name)
        }
        return nil
    }

    private mutating func nextLine() throws(ControlError) -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return Array(buffer[start..<end])
            }
            searched = buffer.count - start
            buffer.removeFirst(start)
            start = 0
            if hasEnded {
                defer { buffer = [] }
                return buffer.isEmpty ? nil : buffer
            }
            guard buffer.count < Self.longest else {
                line += 1
                throw failure("it has more than \(Self.longest) bytes")
            }
            try fill()
        }
    }

    private mutating func fill() throws(ControlError) {
        do {
            let piece = try [UInt8](unsafeUninitializedCapacity: 1 << 16) { space, count in
                count = try file.read(into: UnsafeMutableRawBufferPointer(space))
            }
            hasEnded = piece.isEmpty
            buffer += piece
        } catch {
            throw ControlError(source, why: "it cannot be read: \(error)", hint: "name a file of lines", status: .io)
        }
    }

    private func failure(_ why: String) -> ControlError {
        ControlError(
            "\(VisibleText.of(source)):\(line)", why: why, hint: "write one \(kind.rawValue) a line; nothing was done",
            status: .usage)
    }
}

extension String {
    /// Without the white space about it.
    fileprivate var trimmed: String {
        var rest = Substring(self)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
