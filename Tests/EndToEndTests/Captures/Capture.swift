import Foundation
import LabelboxSimulator

/// What the official SDK sent in one scenario, and what it was answered: recorded from the versions that the folders name.
struct Capture: Sendable, CustomStringConvertible {
    /// One request and its answer.
    struct Exchange: Sendable {
        let request: WireRequest
        let response: WireResponse
    }

    /// Such as `sdk-7.17.0/create_urls`.
    let name: String
    /// What the SDK returned or raised.
    let outcome: JSON
    let exchanges: [Exchange]

    var description: String { name }
    /// Where the recorded answers say that their server is.
    static let base = "http://127.0.0.1:8099"

    /// The names of all that were recorded, from what is there.
    static let names: [String] = {
        guard let folder = Bundle.module.url(forResource: "Recorded", withExtension: nil),
            let walk = FileManager.default.enumerator(atPath: folder.path)
        else { return [] }
        return walk.compactMap { $0 as? String }.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
            .sorted()
    }()

    static func json(_ name: String) throws -> JSON {
        guard let folder = Bundle.module.url(forResource: "Recorded", withExtension: nil) else {
            throw Trouble("there are no recordings")
        }
        return try JSON(Data(contentsOf: folder.appending(path: "\(name).json")))
    }

    init(_ name: String) throws {
        self.name = name
        let json = try Self.json(name)
        outcome = json["outcome"]
        exchanges = try json["exchanges"].list.map { exchange in
            Exchange(
                request: try WireRequest(recorded: exchange["request"]),
                response: WireResponse(recorded: exchange["response"]))
        }
    }

    /// The uploads, each with the address that it got.
    func uploads() throws -> [(upload: Call.Upload, url: String)] {
        try exchanges.compactMap { exchange in
            guard let upload = try exchange.request.calls().first?.upload else { return nil }
            return (upload, exchange.response.json["data"]["uploadFile"]["url"].string ?? "")
        }
    }

    /// The content of a file that was uploaded, by its path.
    func media(_ path: String) throws -> Data {
        // Of a file without a known extension the name is not sent.
        let name = String(path.split(separator: "/").last ?? "").replacing("\"", with: "%22")
        let wanted = name.contains(".") ? name : "1"
        guard let found = try uploads().first(where: { $0.upload.filename == wanted }) else {
            throw Trouble("\(self.name) has no file \(path)")
        }
        return found.upload.content
    }
}

/// A request as it went over the wire.
struct WireRequest: Sendable {
    /// A part of a form.
    struct Part: Sendable {
        var name: String
        var filename: String?
        var contentType: String?
        var content: Data
    }

    enum Body: Sendable {
        case none
        case json(JSON)
        case form([Part])
    }

    var method: String
    var path: String
    /// By name in lower case.
    var headers: [String: String]
    var body: Body

    init(method: String, path: String, headers: [String: String], body: Body) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
    }

    init(recorded: JSON) throws {
        method = recorded["method"].string ?? ""
        path = recorded["path"].string ?? ""
        headers = [:]
        for pair in recorded["headers"].list {
            headers[pair.list.first?.string?.lowercased() ?? ""] = pair.list.last?.string
        }
        if recorded["json"] != .null {
            body = .json(recorded["json"])
        } else if !recorded["parts"].list.isEmpty {
            body = .form(
                recorded["parts"].list.map { part in
                    var lines: [String: String] = [:]
                    for pair in part["headers"].list {
                        lines[pair.list.first?.string?.lowercased() ?? ""] = pair.list.last?.string
                    }
                    let content = part["base64"].string.flatMap { Data(base64Encoded: $0) }
                    return Part(lines, content ?? Data((part["text"].string ?? "").utf8))
                })
        } else {
            body = .none
        }
    }
}

extension WireRequest.Part {
    /// Reads a part's own header lines, by name in lower case.
    init(_ lines: [String: String], _ content: Data) {
        let disposition = lines["content-disposition"] ?? ""
        func value(_ key: String) -> String? {
            guard let start = disposition.range(of: "; \(key)=\"")?.upperBound,
                let end = disposition[start...].firstIndex(of: "\"")
            else { return nil }
            return String(disposition[start..<end])
        }
        self.init(
            name: value("name") ?? "", filename: value("filename"), contentType: lines["content-type"], content: content
        )
    }
}

/// An answer as it was recorded.
struct WireResponse: Sendable {
    var status: Int
    var headers: [(name: String, value: String)]
    var body: String
    /// How many bytes are announced, where those that come are fewer.
    var announced: Int?

    init(status: Int = 200, _ json: JSON) {
        self.status = status
        headers = [("Content-Type", "application/json; charset=utf-8")]
        body = json.text
    }

    init(status: Int, body: String) {
        self.status = status
        headers = [("Content-Type", "text/plain")]
        self.body = body
    }

    init(recorded: JSON) {
        status = recorded["status"].int ?? 0
        headers = recorded["headers"].list.map { ($0.list.first?.string ?? "", $0.list.last?.string ?? "") }
        body = recorded["body"].string ?? ""
    }

    var json: JSON { (try? JSON(body)) ?? .null }
    /// Whether it is anything but data.
    var isRefusal: Bool { status != 200 || !json["errors"].list.isEmpty }
}

extension JSON: Encodable {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The value as text, the same for equal values.
    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }

    /// The same with every string put through `change`.
    func mapStrings(_ change: (String) -> String) -> JSON {
        switch self {
        case .string(let text): .string(change(text))
        case .list(let list): .list(list.map { $0.mapStrings(change) })
        case .object(let members): .object(members.mapValues { $0.mapStrings(change) })
        default: self
        }
    }

    /// The same without members that are null, at any depth.
    var withoutNulls: JSON {
        switch self {
        case .list(let list): .list(list.map(\.withoutNulls))
        case .object(let members): .object(members.filter { $0.value != .null }.mapValues(\.withoutNulls))
        default: self
        }
    }
}
