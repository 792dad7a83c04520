public import DataRows
public import LabelboxAPI

/// The datasets whose rows a project has.
public struct ProjectDatasets: Sendable {
    private let project: ProjectID
    private let client: LabelboxClient

    public init(_ project: ProjectID, client: LabelboxClient) {
        self.project = project
        self.client = client
    }

    /// A page of datasets at a time is asked for, when the one before is used up.
    public var stream: AsyncThrowingStream<DatasetID, any Error> {
        let pages = Pages(project: project, client: client)
        return AsyncThrowingStream { try await pages.next() }
    }

    /// A single dataset, in the same shape.
    public static func only(_ dataset: DatasetID) -> AsyncThrowingStream<DatasetID, any Error> {
        AsyncThrowingStream { continuation in
            continuation.yield(dataset)
            continuation.finish()
        }
    }

    private actor Pages {
        private let project: ProjectID
        private let client: LabelboxClient
        private var page: ArraySlice<DatasetID> = []
        private var skip = 0
        private var isLast = false

        init(project: ProjectID, client: LabelboxClient) {
            self.project = project
            self.client = client
        }

        func next() async throws -> DatasetID? {
            if page.isEmpty, !isLast {
                let fetched: [DatasetInfo]
                do throws(LabelboxError) {
                    fetched = try await client.datasets(ofProject: project, skip: skip, limit: OffsetPages.size)
                } catch {
                    throw ControlError("project '\(VisibleText.of(project.rawValue))'", error)
                }
                skip += fetched.count
                isLast = fetched.count != OffsetPages.size
                page = fetched.map(\.id)[...]
            }
            return page.popFirst()
        }
    }
}
