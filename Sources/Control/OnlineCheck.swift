public import DataRows
public import LabelboxAPI
public import Reporting

/// What only Labelbox can tell before an import: the key, the datasets, the metadata, and what the account has left.
public struct OnlineCheck: Sendable {
    /// A dataset that rows would go to.
    public struct Dataset: Sendable {
        public var id: DatasetID
        /// `nil` where it cannot be had.
        public var info: DatasetInfo?
    }

    /// What was found.
    public struct Report: Sendable, JSONWritable {
        /// Whose key it is; `nil` where it is not valid.
        public var user: String?
        public var datasets: [Dataset] = []
        /// How many metadata fields there are; `nil` where they cannot be had.
        public var metadataFields: Int?
        /// What can be known of quotas.
        public var quota = ""
        /// What keeps an import from working, in sentences.
        public var problems: [String] = []

        public func write(to json: inout JSONWriter) {
            json.object { json in
                json.member("online", true)
                json.member("key_valid", user != nil)
                json.member("user", user)
                json.member("datasets") { json in
                    json.array(datasets) { json, dataset in
                        json.object { json in
                            json.member("id", dataset.id.rawValue)
                            json.member("readable", dataset.info != nil)
                            json.member("name", dataset.info?.name)
                            json.member("row_count", dataset.info?.rowCount)
                        }
                    }
                }
                json.member("metadata_fields", metadataFields)
                json.member("quota", quota)
                json.member("problems", problems)
            }
        }

        /// For people.
        public var lines: [String] {
            var lines = ["online:"]
            if let user { lines.append("  key       valid, of \(VisibleText.of(user))") }
            for dataset in datasets {
                guard let info = dataset.info else { continue }
                let rows = info.rowCount.map { ", \(CheckText.count($0, "row")) so far" } ?? ""
                lines.append("  dataset   \(VisibleText.of(dataset.id.rawValue)): \(VisibleText.of(info.name))\(rows)")
            }
            if let metadataFields { lines.append("  metadata  \(CheckText.count(metadataFields, "field"))") }
            if !quota.isEmpty { lines.append("  quota     \(quota)") }
            return lines + problems.map { "  problem   \(VisibleText.of($0))" }
        }
    }

    private let client: LabelboxClient

    public init(_ client: LabelboxClient) { self.client = client }

    /// Asks whose key it is, and for the metadata fields.
    ///
    /// - Returns: What was found, and the fields as rows need them.
    /// - Throws: ``ControlError`` when Labelbox cannot be reached: nothing is known then.
    public func begin(requestsPerMinute: Int) async throws(ControlError) -> (Report, DataRows.MetadataOntology?) {
        var report = Report()
        do throws(LabelboxError) {
            let user = try await client.currentUser()
            report.user = user.email ?? user.id.rawValue
        } catch {
            try note(error, "the key", in: &report)
            if case .quota = error.kind { report.quota = error.message }
            return (report, nil)
        }
        var ontology: DataRows.MetadataOntology?
        do throws(LabelboxError) {
            let told = try await client.metadataOntology()
            report.metadataFields = told.fields.count
            ontology = DataRows.MetadataOntology(told)
        } catch {
            try note(error, "the metadata fields", in: &report)
        }
        report.quota =
            "no request was refused for it; Labelbox does not tell what is left, and \(requestsPerMinute) requests a minute are configured"
        return (report, ontology)
    }

    /// Looks whether datasets exist, and may be read.
    public func look(at datasets: Set<DatasetID>, into report: inout Report) async throws(ControlError) {
        for id in datasets.sorted(by: { $0.rawValue < $1.rawValue }) {
            do throws(LabelboxError) {
                guard let info = try await client.dataset(id) else {
                    report.datasets.append(Dataset(id: id))
                    report.problems.append(
                        "dataset '\(id)': Labelbox knows none of this id, or this key may not see it: correct the id")
                    continue
                }
                _ = try await client.dataRows(of: id, limit: 1)
                report.datasets.append(Dataset(id: id, info: info))
            } catch {
                report.datasets.append(Dataset(id: id))
                try note(error, "dataset '\(id)'", in: &report)
            }
        }
    }

    private func note(_ error: LabelboxError, _ what: String, in report: inout Report) throws(ControlError) {
        let problem = ControlError(what, error)
        switch error.kind {
        case .unreachable, .connectionLost, .serverError, .badAnswer, .cancelled, .rateLimited: throw problem
        default: report.problems.append(problem.description)
        }
        if case .quota = error.kind { report.quota = error.message }
    }
}
