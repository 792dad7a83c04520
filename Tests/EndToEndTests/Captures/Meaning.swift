import Foundation

/// What a number of requests come to, as lines that are the same for the same meaning.
///
/// A row that is handed over is a line of its own, whatever chunk it is in. Where an address of an upload stands, its content
/// is named instead.
struct Meaning {
    var lines: [String] = []
    /// What is wanted of answers, by call.
    var fields: [String: Set<String>] = [:]
    /// What the steps of imports are, in the order in which they were made.
    private(set) var steps: [Step] = []

    /// The steps of an import, which depend on each other in this order.
    enum Step: Int, Comparable {
        case media, rows, manifest, call, task, results

        static func < (one: Step, other: Step) -> Bool { one.rawValue < other.rawValue }
    }

    /// - Parameters:
    ///   - requests: in the order in which they were made.
    ///   - addresses: what the content of each upload is called in the place of its address.
    /// - Throws: where a request is no call that could be meant.
    init(_ requests: [WireRequest], addresses: [String: String]) throws {
        func named(_ json: JSON) -> JSON { json.mapStrings { addresses[$0] ?? $0 } }
        for request in requests {
            for call in try request.calls() {
                fields[call.name, default: []].formUnion(call.fields)
                if request.method == "POST", request.headers["authorization"] == nil {
                    lines.append("\(call.name) without a key")
                }
                if request.method == "GET", request.headers["authorization"] != nil {
                    lines.append("\(call.name) with the key")
                }
                switch call.name {
                case "uploadFile": try add(call, named)
                case "createdTasks":
                    lines.append("task \(call.arguments["id"].string ?? "") of \(call.arguments["user"].string ?? "")")
                    steps.append(.task)
                case "GET", "failedDataRowImports", "successesfulDataRowImports":
                    lines.append("\(call.name) \(named(call.arguments).text)")
                    steps.append(.results)
                case "upsertDataRows", "appendRowsToDataset", "appendRowsToDatasetSync", "createDataRow":
                    lines.append("\(call.name) \(named(call.arguments).text)")
                    steps.append(.call)
                default: lines.append("\(call.name) \(named(call.arguments).withoutLoneConditions.text)")
                }
            }
        }
    }

    private mutating func add(_ call: Call, _ named: (JSON) -> JSON) throws {
        guard let upload = call.upload, call.arguments == .object(["sign": .bool(false), "file": .null]).withoutNulls
        else {
            throw Trouble("an upload with other arguments: \(call.arguments.text)")
        }
        let type = upload.contentType ?? "no type"
        switch upload.role {
        case .media:
            lines.append("media \(upload.filename) (\(type)) \(upload.content.digest)")
            steps.append(.media)
        case .chunk, .rows:
            lines.append("\(upload.role) in \(upload.filename) (\(type))")
            for row in try JSON(upload.content).list { lines.append("row \(named(row).text)") }
            steps.append(.rows)
        case .manifest:
            let json = try JSON(upload.content)
            lines.append("manifest in \(upload.filename) (\(type)): \(named(json).text)")
            steps.append(.manifest)
        }
    }

    /// How many imports there are in the steps, should each of them go through its steps in order; nil when one does not.
    var imports: Int? {
        var imports = 0
        var last: Step?
        for step in steps where step != last {
            if let before = last, step < before {
                guard before >= .task, step <= .rows else { return nil }
                imports += 1
            }
            last = step
        }
        return last == nil ? 0 : imports + 1
    }
}

extension JSON {
    /// One condition in a list of conditions that all must hold is that condition.
    var withoutLoneConditions: JSON {
        guard case .object(var members) = self, let conditions = members["where"]?["AND"].list, conditions.count == 1
        else {
            return self
        }
        members["where"] = conditions[0]
        return .object(members)
    }
}

extension Data {
    /// Enough to tell contents apart (FNV-1a).
    fileprivate var digest: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in self { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "\(count) bytes, \(String(hash, radix: 16))"
    }
}

extension Meaning {
    /// What the content of each upload is called in the place of its address.
    static func addresses(of uploads: [(upload: Call.Upload, url: String)]) -> [String: String] {
        var names: [String: String] = [:]
        for (upload, url) in uploads {
            names[url] = upload.role == .media ? "<\(upload.content.digest)>" : "<\(upload.role)>"
        }
        return names
    }
}
