import Foundation
import LabelboxSimulator
import Locking

/// Answers what it is asked with what was recorded, by what is meant and not by how it is written; ids and addresses are
/// the recorded ones.
final class Replay: Sendable {
    /// Something that was answered once.
    private struct Answer: Sendable {
        let call: Call
        let value: JSON
        let response: WireResponse
    }

    private struct State: Sendable {
        var received: [WireRequest] = []
        var used: Set<Int> = []
        /// The rows of a file that was handed over in the older way, by its task.
        var legacyRows: [String: JSON] = [:]
        var files: [String: JSON] = [:]
        var jobs: [String: [String]] = [:]
        var uploads: [(upload: Call.Upload, url: String)] = []
        var troubles: [String] = []
    }

    private let answers: [Answer]
    private let state = Locked(State())
    private let server = Locked<StandIn?>(nil)

    init(_ capture: Capture) throws {
        answers = try capture.exchanges.flatMap { exchange -> [Answer] in
            let request = exchange.request
            if request.method == "GET" {
                return try request.calls().map { Answer(call: $0, value: .null, response: exchange.response) }
            }
            let data = exchange.response.json["data"]
            let (fields, _) = try request.selected()
            return try zip(request.calls(), fields).map { call, field in
                let value = data[field.key]
                return Answer(
                    call: call, value: call.name == "createdTasks" ? value["createdTasks"] : value,
                    response: exchange.response)
            }
        }
        let server = try StandIn { [weak self] request in self?.answer(request) }
        self.server.withLock { $0 = server }
    }

    func stop() { server.withLock { $0 }?.stop() }

    var base: String { server.withLock { $0 }?.base ?? "" }

    /// What was asked so far, with the recorded addresses.
    var received: [WireRequest] { state.withLock { $0.received } }

    /// What was uploaded so far, and the address that it got.
    var uploads: [(upload: Call.Upload, url: String)] { state.withLock { $0.uploads } }

    /// What it was asked and could not answer from the recording.
    var troubles: [String] { state.withLock { $0.troubles } }

    // MARK: Answering

    private func answer(_ raw: WireRequest) -> WireResponse? {
        // Checked before addresses are put in place of others, which changes lengths.
        do { _ = try raw.selected() } catch { state.withLock { $0.troubles.append("\(error)") } }
        let request = raw.replacing(base, with: Capture.base)
        return state.withLock { state in
            state.received.append(request)
            do {
                var response = try respond(to: request, &state)
                response.body = response.body.replacingOccurrences(of: Capture.base, with: base)
                return response
            } catch {
                state.troubles.append("\(error)")
                return WireResponse(status: 400, body: "\(error)")
            }
        }
    }

    private func respond(to request: WireRequest, _ state: inout State) throws -> WireResponse {
        if request.method == "GET" {
            if let index = find("GET", .string(request.path), state), answers[index].response.status == 200 {
                return answers[index].response
            }
            guard let rows = state.legacyRows[request.path] else { return WireResponse(status: 404, body: "nothing") }
            return WireResponse(rows)
        }
        let (fields, upload) = try request.selected()
        var data: [String: JSON] = [:]
        for field in fields {
            if field.name == "user" {
                var user: [String: JSON] = [:]
                for child in field.children {
                    if child.name == "createdTasks" {
                        let id = try JSON(child.arguments.text)["where"]["id"]
                        user[child.key] = try task(id.string ?? "", &state).picked(child.children)
                    } else {
                        let index = find("user", .null, state)
                        let value =
                            index.map { answers[$0].value } ?? .object(["id": .string("cmuser0000000000000000001")])
                        user[child.key] = value[child.name]
                    }
                }
                data[field.key] = .object(user)
                continue
            }
            let call =
                try request.calls().first { $0.name == field.name }
                ?? Call(name: field.name, arguments: .null, fields: [])
            let arguments = try JSON(field.arguments.text).withoutNulls.without("file", "contentLength")
            if let upload {
                let (url, index) = address(of: upload, &state)
                if let index, answers[index].response.isRefusal { return answers[index].response }
                data[field.key] = .object(["url": .string(url)])
            } else if let index = find(call.name, arguments, state) {
                state.used.insert(index)
                if answers[index].response.isRefusal { return answers[index].response }
                if field.name == "appendRowsToDataset" { remember(arguments, answers[index].value, &state) }
                var value = answers[index].value
                if field.name == "deleteDataRows" {
                    // The SDK did not ask whether, only which.
                    value = .list(value.list.map { .object(["id": $0["id"], "deleted": .bool(true)]) })
                }
                data[field.key] = value.picked(field.children)
            } else {
                data[field.key] = try made(field.name, arguments, &state).picked(field.children)
            }
        }
        return WireResponse(.object(["data": .object(data)]))
    }

    /// The recorded answer to use: the next that was given to the same question, else the last that was.
    private func find(_ name: String, _ arguments: JSON, _ state: State) -> Int? {
        let wanted = arguments.identity
        let all = answers.indices.filter { answers[$0].call.name == name }
        let isMutation = Self.mutations.contains(name) || name == "user"
        let same = all.filter { isMutation || answers[$0].call.arguments.identity == wanted }
        return same.first { !state.used.contains($0) } ?? same.last
    }

    private static let mutations: Set<String> = [
        "upsertDataRows", "appendRowsToDataset", "createDataRow", "updateDataRow", "deleteDataRows",
        "dataRowsForGlobalKeys", "customMetadataOntology",
    ]

    /// A task as the next poll saw it.
    private func task(_ id: String, _ state: inout State) throws -> JSON {
        let all = answers.indices.filter {
            answers[$0].call.name == "createdTasks" && answers[$0].call.arguments["id"].string == id
        }
        guard let index = all.first(where: { !state.used.contains($0) }) ?? all.last else {
            guard let rows = state.legacyRows["/results/\(id).json"], rows != .null else { return .list([]) }
            // An import that was done when it was answered has no task in the recording.
            return .list([.object(["id": .string(id), "status": .string("COMPLETE"), "result": resultAddress(id)])])
        }
        state.used.insert(index)
        guard case .object(var members)? = answers[index].value.list.first else { return answers[index].value }
        // The older client did not ask for the address of the results.
        if members["result"] == nil, members["status"] == .string("COMPLETE"),
            state.legacyRows["/results/\(id).json"] != nil
        {
            members["result"] = resultAddress(id)
        }
        return .list([.object(members)])
    }

    private func resultAddress(_ id: String) -> JSON { .string("\(Capture.base)/results/\(id).json") }

    private func address(of upload: Call.Upload, _ state: inout State) -> (url: String, index: Int?) {
        let recorded = answers.indices.filter { answers[$0].call.upload != nil }
        let index =
            recorded.first { answers[$0].call.upload?.content == upload.content && !state.used.contains($0) }
            ?? recorded.first { answers[$0].call.upload?.content == upload.content }
            ?? recorded.first { answers[$0].call.upload?.role == upload.role && !state.used.contains($0) }
            ?? recorded.last { answers[$0].call.upload?.role == upload.role }
        if let index { state.used.insert(index) }
        let url = index.flatMap { answers[$0].value["url"].string } ?? "\(Capture.base)/files/\(state.files.count)-more"
        if upload.role == .rows { state.files[url] = try? JSON(upload.content) }
        state.uploads.append((upload, url))
        return (url, index)
    }

    /// What was handed over in the older way becomes the result file of its task, should that be asked for.
    private func remember(_ arguments: JSON, _ answer: JSON, _ state: inout State) {
        guard let task = answer["taskId"].string else { return }
        let rows = (state.files[arguments["data"]["jsonFileUrl"].string ?? ""] ?? .null).list
        let created: [JSON] = rows.enumerated().map { number, row in
            .object([
                "id": .string("cm\(number)of\(task)"), "externalId": row["externalId"], "globalKey": row["globalKey"],
                "rowData": row["data"],
            ])
        }
        state.legacyRows["/results/\(task).json"] = .object(["createdDataRows": .list(created), "errors": .list([])])
    }

    /// Answers that the recordings do not have, since the SDK did not ask.
    private func made(_ name: String, _ arguments: JSON, _ state: inout State) throws -> JSON {
        switch name {
        case "dataset":
            return .object(["id": arguments["where"]["id"], "name": .string("default"), "rowCount": .number(0)])
        case "customMetadataOntology": return .list([])
        case "datasetDataRows":
            // The older client listed the rows of a dataset page by page within it.
            let name = arguments["where"]["externalId"]
            let rows = answers.flatMap { $0.value["dataRows"].list }.filter {
                name == .null || $0["externalId"] == name
            }
            return .object(["nodes": .list(rows), "pageInfo": .object(["hasNextPage": .bool(false)])])
        case "successesfulDataRowImports": return .object(["nodes": .list([]), "total": .number(0)])
        case "failedDataRowImports": return .object(["results": .list([]), "total": .number(0)])
        case "appendRowsToDataset":
            let answer = JSON.object(["taskId": .string("cmtask0000000000000000001"), "accepted": .bool(true)])
            remember(arguments, answer, &state)
            return answer
        case "dataRowsForGlobalKeys":
            let job = "job\(state.jobs.count)"
            state.jobs[job] = arguments["where"]["ids"].list.compactMap(\.string)
            return .object(["jobId": .string(job)])
        case "dataRowsForGlobalKeysResult":
            let ids = (state.jobs[arguments["jobId"]["id"].string ?? ""] ?? []).map { createdRows[$0] ?? "" }
            let rows: [JSON] = ids.map { .object(["id": .string($0)]) }
            return .object([
                "jobStatus": .string("COMPLETE"),
                "data": .object([
                    "fetchedDataRows": .list(rows), "notFoundGlobalKeys": .list([]),
                    "accessDeniedGlobalKeys": .list([]),
                ]),
            ])
        default: throw Trouble("\(name) was not asked when this was recorded, and is now: \(arguments.text)")
        }
    }

    /// The rows that exist by what was recorded, by their keys.
    private var createdRows: [String: String] {
        var ids: [String: String] = [:]
        for answer in answers {
            let file = answer.call.name == "GET" ? answer.response.json["createdDataRows"].list : []
            for node in answer.value["nodes"].list + file {
                if let key = node["globalKey"].string { ids[key] = node["id"].string }
            }
        }
        return ids
    }
}

extension WireRequest {
    /// The same with another address in its body, and the length that it has then.
    fileprivate func replacing(_ old: String, with new: String) -> WireRequest {
        var copy = self
        switch body {
        case .none: break
        case .json(let json): copy.body = .json(json.mapStrings { $0.replacingOccurrences(of: old, with: new) })
        case .form(var parts):
            for index in parts.indices {
                // Media is left as it is; only what is text can name an address.
                guard let text = String(data: parts[index].content, encoding: .utf8), text.contains(old) else {
                    continue
                }
                parts[index].content = Data(text.replacingOccurrences(of: old, with: new).utf8)
            }
            if parts.count == 3, case .object(var all)? = try? JSON(parts[0].content),
                case .object(var variables)? = all["variables"]
            {
                variables["contentLength"] = .number(Double(parts[2].content.count))
                all["variables"] = .object(variables)
                parts[0].content = Data(JSON.object(all).text.utf8)
            }
            copy.body = .form(parts)
        }
        return copy
    }
}

extension JSON {
    /// Arguments without what only says how much is wanted at once.
    fileprivate var identity: JSON {
        var copy = self.without("first", "skip").withoutLoneConditions
        if case .object(var members) = copy, let data = members["data"], data["taskId"] != .null {
            members["data"] = data.without("first")
            copy = .object(members)
        }
        return copy
    }

    /// The fields that are wanted, under the names that they are wanted under.
    fileprivate func picked(_ fields: [Selected]) -> JSON {
        if fields.isEmpty { return self }
        switch self {
        case .list(let list): return .list(list.map { $0.picked(fields) })
        case .object(let members):
            return .object(
                Dictionary(
                    fields.map { ($0.key, (members[$0.name] ?? .null).picked($0.children)) }, uniquingKeysWith: { $1 }))
        default: return self
        }
    }
}
