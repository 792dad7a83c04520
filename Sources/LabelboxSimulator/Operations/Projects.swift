extension World {
    func project(_ field: Selected) throws(GraphQLError) -> Node {
        guard let id = field["where"]?["id"]?.string, let number = projectNumber(id) else {
            throw GraphQLError(.notFound, "Project not found")
        }
        return .project(number)
    }

    func projects(_ field: Selected) -> Node {
        let conditions = field["where"].map { $0["AND"]?.list ?? [$0] } ?? []
        let found = projects.indices.filter { number in
            conditions.allSatisfy { condition in
                if condition["deleted"]?.bool == true { return false }
                if let id = condition["id"]?.string, id != projects[number].id { return false }
                if let name = condition["name"]?.string, name != projects[number].name { return false }
                return true
            }
        }
        let skip = max(0, field["skip"]?.int ?? 0)
        let first = max(0, min(field["first"]?.int ?? 100, 100))
        return .list(found.dropFirst(skip).prefix(first).map { .project($0) })
    }

    func projectField(_ field: Selected, of number: Int) -> Node {
        let project = projects[number]
        switch field.name {
        case "id": return .text(project.id)
        case "name": return .text(project.name)
        case "description": return .text("")
        case "createdAt": return .time(project.created)
        case "updatedAt": return .time(project.updated)
        case "datasets": return datasets(field, among: project.datasets)
        case "dataRowCount": return .int(project.datasets.reduce(0) { $0 + datasets[Int($1)].liveRows })
        case "autoAuditNumberOfLabels": return .int(1)
        case "autoAuditPercentage": return .value(.number("1.0"))
        case "uploadType": return .text("AUTO")
        case "isBenchmarkEnabled", "isConsensusEnabled", "modelSetupComplete": return .bool(false)
        default: return .null
        }
    }
}
