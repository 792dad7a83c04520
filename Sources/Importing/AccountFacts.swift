internal import DataRows
internal import Foundation
internal import LabelboxAPI
internal import Ledger
internal import Locking

/// What is true of the account and its datasets, asked once and remembered for a while.
final class AccountFacts: Sendable {
    private struct Known: Sendable {
        var user: UserID?
        var datasets: [DatasetID: Date] = [:]
        var ontology: (value: DataRows.MetadataOntology, at: Date)?
    }

    private let client: LabelboxClient
    private let clock: ImportClock
    private let known = Locked(Known())

    /// A dataset that was there is taken to be there for so long.
    private static let datasetAge: TimeInterval = 600
    /// Metadata fields are added by people in a browser, and rows that name them follow soon.
    private static let ontologyAge: TimeInterval = 60

    init(client: LabelboxClient, clock: ImportClock) {
        self.client = client
        self.clock = clock
    }

    /// Whose key it is; tasks are found under their user.
    func user() async throws -> UserID {
        if let user = known.withLock({ $0.user }) { return user }
        let user = try await client.currentUser().id
        known.withLock { $0.user = user }
        return user
    }

    /// Forgets whose key it is: it may be another's by now, whose tasks cannot be seen under the first one's name.
    func forgetUser() { known.withLock { $0.user = nil } }

    /// Why nothing can be imported into a dataset; `nil` when it can.
    func refusal(of dataset: DatasetID) async throws -> ErrorEntry? {
        let now = clock.now
        if let seen = known.withLock({ $0.datasets[dataset] }), now.timeIntervalSince(seen) < Self.datasetAge {
            return nil
        }
        do {
            guard try await client.dataset(dataset) != nil else {
                return ErrorEntry(
                    code: "dataset_not_found",
                    message:
                        "Labelbox knows no dataset '\(dataset)', or this key may not see it; correct the id and drop the manifest again"
                )
            }
        } catch {
            switch error.kind {
            case .permission, .notFound: return ErrorEntry(code: error.code, message: "\(error)")
            default: throw error
            }
        }
        known.withLock { $0.datasets[dataset] = now }
        return nil
    }

    /// The metadata fields that rows may name.
    func ontology() async throws -> DataRows.MetadataOntology {
        let now = clock.now
        if let ontology = known.withLock({ $0.ontology }), now.timeIntervalSince(ontology.at) < Self.ontologyAge {
            return ontology.value
        }
        let value = DataRows.MetadataOntology(try await client.metadataOntology())
        known.withLock { $0.ontology = (value, now) }
        return value
    }
}
