internal import Foundation
internal import Ledger
internal import Locking

/// What the configuration says at this moment, as far as the stages go by it.
///
/// It is looked up for each item and never kept: a configuration that is read again holds from the next item on.
final class WatchBoard: Sendable {
    private struct State {
        var watches: [ImportWatch]
        var byName: [String: ImportWatch]
        var submitWith: SubmitMutation
        var uploads: Int
        var filesPerRequest: Int?
        var isHeld = false
    }

    private let state: Locked<State>

    init(_ watches: [ImportWatch], submitWith: SubmitMutation, uploads: Int, filesPerRequest: Int?) {
        state = Locked(
            State(
                watches: watches, byName: Self.named(watches), submitWith: submitWith, uploads: uploads,
                filesPerRequest: filesPerRequest))
    }

    /// The watch of a name, unless it is not configured any more.
    subscript(name: String) -> ImportWatch? { state.withLock { $0.byName[name] } }

    var all: [ImportWatch] { state.withLock { $0.watches } }

    /// How rows are handed over from now on.
    var submitWith: SubmitMutation { state.withLock { $0.submitWith } }

    /// Media uploads at a time.
    var uploads: Int { state.withLock { $0.uploads } }

    /// Small files that share an upload request, at most.
    ///
    /// Ten when it is left to us: the service carries the fields of a mutation out one after the other, and what stands before it
    /// gives a request up after a minute.
    var filesTogether: Int { state.withLock { $0.filesPerRequest ?? 10 } }

    /// How long each watch's addresses are good, in seconds.
    var ages: [String: TimeInterval] { state.withLock { $0.byName.mapValues { $0.mediaURLAge.seconds } } }

    /// Whether nothing is to be begun that changes anything at Labelbox.
    var isHeld: Bool { state.withLock { $0.isHeld } }

    func hold(_ isHeld: Bool) { state.withLock { $0.isHeld = isHeld } }

    func put(_ watches: [ImportWatch], submitWith: SubmitMutation, uploads: Int, filesPerRequest: Int?) {
        state.withLock { state in
            state.watches = watches
            state.byName = Self.named(watches)
            state.submitWith = submitWith
            state.uploads = uploads
            state.filesPerRequest = filesPerRequest
        }
    }

    private static func named(_ watches: [ImportWatch]) -> [String: ImportWatch] {
        Dictionary(uniqueKeysWithValues: watches.map { ($0.name, $0) })
    }
}
