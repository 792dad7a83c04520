extension World {
    func taskNumber(_ id: String) -> Int? {
        guard let number = Identifier.number("cmtask", in: id), number >= 1, number <= tasks.count else { return nil }
        return number - 1
    }

    func userField(_ field: Selected) -> Node {
        switch field.name {
        case "id": .text(Self.userID)
        case "email": .text("importer@example.com")
        case "name": .text("Importer")
        case "nickname": .text("importer")
        case "intercomHash": .text("")
        case "isExternalUser", "isViewer": .bool(false)
        case "createdAt", "updatedAt": .time(started)
        case "organization": .organization
        case "createdTasks": createdTasks(field)
        default: .null
        }
    }

    private func createdTasks(_ field: Selected) -> Node {
        if let id = field["where"]?["id"]?.string {
            return .list(taskNumber(id).map { [.task($0)] } ?? [])
        }
        let skip = max(0, field["skip"]?.int ?? 0)
        let first = max(0, min(field["first"]?.int ?? 100, 100))
        let isNewestFirst = field["orderBy"]?.string?.hasSuffix("_DESC") ?? false
        let all = isNewestFirst ? Array(tasks.indices.reversed()) : Array(tasks.indices)
        return .list(all.dropFirst(skip).prefix(first).map { .task($0) })
    }

    func taskField(_ name: String, of number: Int, now: Moment) -> Node {
        let task = tasks[number]
        switch name {
        case "id": return .text(task.id)
        case "createdAt": return .time(task.created)
        case "updatedAt": return .time(task.updated)
        case "name": return .text(task.name)
        case "type": return .text(task.type)
        case "status": return .text(task.status.rawValue)
        case "completionPercentage": return .value(.number("\(task.percentage(at: now)).0"))
        case "result":
            return task.status == .complete || task.status == .failed
                ? .text("\(baseURL)/results/\(task.id).json") : .null
        default: return .null
        }
    }

    mutating func cancelBulkOperationJob(_ field: Selected, _ context: RequestContext) throws(GraphQLError) -> Node {
        guard let number = taskNumber(field["id"]?.string ?? "") else {
            throw GraphQLError(.notFound, "Task not found")
        }
        // Once rows are being made it is too late.
        let isPending = tasks[number].status == .inProgress && tasks[number].done == 0
        if isPending {
            tasks[number].status = .canceled
            tasks[number].updated = context.now
        }
        return .fields(type: "CancelResult", ["success": .bool(isPending)])
    }
}
