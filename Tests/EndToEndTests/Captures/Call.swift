import Foundation
import LabelboxSimulator

/// One thing that a request asks for, freed from how it is written: aliases, variables, names of operations, white space and
/// the order of fields are gone.
struct Call: Sendable {
    /// A file that goes with it.
    struct Upload: Sendable {
        var filename: String
        var contentType: String?
        var content: Data

        /// What the file is for.
        enum Role: Sendable { case media, chunk, manifest, rows }

        var role: Role {
            guard let json = try? JSON(content), filename.contains("json") else { return .media }
            if json["chunk_uris"] != .null { return .manifest }
            guard case .list(let rows) = json else { return .media }
            return rows.first?["payload"] == .null ? .rows : .chunk
        }
    }

    /// The field of the API; `createdTasks` for the tasks of a user.
    var name: String
    /// Variables put in, nulls left out.
    var arguments: JSON
    /// What is wanted of the answer, by path.
    var fields: Set<String>
    var upload: Upload?
}

extension WireRequest {
    /// The fields that the request asks for, with its variables put in.
    func selected() throws -> (fields: [Selected], upload: Call.Upload?) {
        switch body {
        case .none: return ([], nil)
        case .json(let json):
            return (try Self.plan(json["query"].string ?? "", json["variables"]), nil)
        case .form(let parts):
            guard parts.map(\.name) == ["operations", "map", "1"] else {
                throw Trouble("the parts of an upload are \(parts.map(\.name)), and the file must come last")
            }
            guard try JSON(parts[1].content) == JSON(#"{"1": ["variables.file"]}"#) else {
                throw Trouble("the map of an upload is \(String(decoding: parts[1].content, as: UTF8.self))")
            }
            let operations = try JSON(parts[0].content)
            guard case .object(var variables) = operations["variables"], variables["file"] == .null else {
                throw Trouble("the file is not null in the variables")
            }
            guard variables["contentLength"]?.int == parts[2].content.count else {
                throw Trouble("contentLength is \(variables["contentLength"] ?? .null), not \(parts[2].content.count)")
            }
            variables["file"] = .string("the file")
            let upload = Call.Upload(
                filename: parts[2].filename ?? "", contentType: parts[2].contentType, content: parts[2].content)
            return (try Self.plan(operations["query"].string ?? "", .object(variables)), upload)
        }
    }

    private static func plan(_ query: String, _ variables: JSON) throws -> [Selected] {
        try Planner.plan(query, variables: JSONValue(parsing: Array(variables.text.utf8)))
    }

    /// What it asks for; a plain GET is a call of its path.
    func calls() throws -> [Call] {
        if method == "GET" { return [Call(name: "GET", arguments: .string(path), fields: [])] }
        let (fields, upload) = try selected()
        return try fields.flatMap { field -> [Call] in
            let tasks = field.children.filter { field.name == "user" && $0.name == "createdTasks" }
            guard tasks.isEmpty else {
                return try tasks.map { task in
                    var arguments = try JSON(task.arguments.text)["where"]
                    if case .object(var members) = arguments {
                        members["user"] = try JSON(field.arguments.text)["where"]["id"]
                        arguments = .object(members)
                    }
                    return Call(name: "createdTasks", arguments: arguments, fields: Self.paths(task.children))
                }
            }
            let arguments = try JSON(field.arguments.text).withoutNulls.without("file", "contentLength")
            return [Call(name: field.name, arguments: arguments, fields: Self.paths(field.children), upload: upload)]
        }
    }

    private static func paths(_ fields: [Selected], _ prefix: String = "") -> Set<String> {
        Set(fields.flatMap { [prefix + $0.name] + paths($0.children, "\(prefix)\($0.name).") })
    }
}
