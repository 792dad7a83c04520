internal import Transport

/// One thing that can be asked of Labelbox: the document, what goes in, what comes out.
protocol GraphQLOperation: Sendable {
    associatedtype Answer: Sendable

    /// The name for errors and logs: the field of the API that it asks for.
    var name: String { get }
    var kind: RequestKind { get }
    /// The GraphQL text, exactly as sent.
    var document: String { get }
    var variables: JSONValue { get }
    /// The files that go with it, which make it a multipart request; none for most.
    var files: [FilePart] { get }
    /// Whether an answer that holds some of what was asked for, and errors about the rest, is one.
    var takesPartialAnswers: Bool { get }
    /// Whether the answer is long lists of objects of one shape, which are better packed.
    var packsLists: Bool { get }

    /// Reads the answer.
    ///
    /// `errors` is empty, or holds only errors about single things that were not found; of partial answers, any.
    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> Answer
}

extension GraphQLOperation {
    var files: [FilePart] { [] }
    var takesPartialAnswers: Bool { false }
    var packsLists: Bool { false }
}

/// A file of an upload.
struct FilePart: Sendable {
    /// The variable of the document that stands for it.
    var variable = "file"
    var content: HTTPRequest.Content
    var filename: String
    var contentType: String?
    var progress: (@Sendable (_ sentBytes: Int64, _ totalBytes: Int64) -> Void)?
}

/// The parts of a GraphQL multipart request, in the order that lets the server stream the files.
enum Multipart {
    static func parts(of operation: some GraphQLOperation) -> [HTTPRequest.Part] {
        var operations: [UInt8] = []
        JSONValue.object([
            .init("variables", operation.variables), .init("query", .string(operation.document)),
        ]).write(to: &operations)
        let files = operation.files.enumerated().map { (name: "\($0 + 1)", file: $1) }
        let map = files.map { "\"\($0.name)\": [\"variables.\($0.file.variable)\"]" }.joined(separator: ", ")
        return [
            HTTPRequest.Part(name: "operations", content: .bytes(operations)),
            HTTPRequest.Part(name: "map", content: .bytes(Array("{\(map)}".utf8))),
        ]
            + files.map { name, file in
                HTTPRequest.Part(
                    name: name, filename: file.filename, contentType: file.contentType, content: file.content)
            }
    }
}

/// An answer that is well-formed and does not hold what was asked for.
struct BadAnswer: Error {
    var kind: LabelboxError.Kind = .badAnswer
    var message: String
}

extension JSONValue {
    /// The value of a key that must be there and must not be null.
    func required(_ key: String) throws(BadAnswer) -> JSONValue {
        guard let value = self[key], !value.isNull else { throw BadAnswer(message: "the answer has no \(key)") }
        return value
    }

    /// The text of a key that must be there and hold some.
    func requiredString(_ key: String) throws(BadAnswer) -> String {
        guard let text = try required(key).string, !text.isEmpty else {
            throw BadAnswer(message: "\(key) in the answer is no text")
        }
        return text
    }

    /// The longest identifier, in bytes.
    static let longestID = 1_024

    /// The identifier of a key that must be there.
    ///
    /// Labelbox's have 25 characters. What is very long is somebody's mistake, and would be kept, logged and sent again.
    func requiredID(_ key: String) throws(BadAnswer) -> String {
        let id = try requiredString(key)
        guard id.utf8.count <= Self.longestID else {
            throw BadAnswer(message: "\(key) in the answer has \(id.utf8.count) bytes, and identifies nothing")
        }
        return id
    }

    /// The address of a key that must be there: one that a server can fetch, since it goes into rows.
    func requiredAddress(_ key: String) throws(BadAnswer) -> String {
        let address = try requiredString(key)
        guard ["https://", "http://", "gs://"].contains(where: address.hasPrefix), address.utf8.count <= 16_384,
            address.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f })
        else { throw BadAnswer(message: "\(key) in the answer is no address") }
        return address
    }

    func requiredArray(_ key: String) throws(BadAnswer) -> [JSONValue] {
        guard let array = try required(key).array else { throw BadAnswer(message: "\(key) in the answer is no list") }
        return array
    }

    func requiredObject(_ key: String) throws(BadAnswer) -> JSONValue {
        let value = try required(key)
        guard value.isObject else { throw BadAnswer(message: "\(key) in the answer is no object") }
        return value
    }
}
