public import DataRows
public import Foundation
public import SystemPackage

/// What has been done, durably: the only queue and the only truth.
///
/// The steps are those of the pipeline, each one transaction, and not what a database can do. Whatever a step
/// returns without an error will be found again after a power cut. Times are arguments, in the caller's clock; every
/// step that changes a leased item names the lease and throws ``LedgerError/leaseLost(what:)`` when it is no longer held.
public protocol LedgerStore: SegmentSource {
    // MARK: Start, stop, change

    /// Takes back what earlier owners on this machine left leased, and makes everything due at once.
    ///
    /// Costs what is in flight, not what is history. Submissions whose call may have been under way become ambiguous.
    func recover(as owner: LeaseOwner, at now: Date) async throws -> Recovery
    /// Has `changed` called after commits that changed something; a hint, on whatever thread made the commit.
    func onChange(_ changed: @escaping @Sendable () -> Void)
    /// Prolongs all leases of an owner; called by a heartbeat while anything is leased.
    func renewLeases(of owner: LeaseOwner, until: Date) async throws
    /// The number of the latest change of any import.
    func revision() async throws -> Int

    // MARK: Operators

    /// Records what operators ask for; what is known already is left as it is.
    func take(_ requests: [(OperatorRequest, Operator)], at now: Date) async throws
    /// Requests of which nothing came yet, in the order in which they were taken.
    func openRequests(limit: Int) async throws -> [RecordedRequest]
    /// A request and what came of it; `nil` once it is forgotten, or before it was taken.
    func request(_ id: String) async throws -> RecordedRequest?
    /// Records what came of a request.
    func end(_ request: String, as state: RecordedRequest.State, outcome: String, at now: Date) async throws
    /// Begins the pause that a request asks for, with its outcome; one that stands already stays as it is.
    func pause(_ request: RecordedRequest, outcome: String, at now: Date) async throws
    /// Ends the pause that a request asks to end, with its outcome.
    func resume(_ request: RecordedRequest, outcome: String, at now: Date) async throws
    /// The pauses that stand. Of paused watches no segment is sealed and no media is leased; one of the whole daemon is
    /// kept by those who work.
    func pauses() async throws -> [OperatorPause]

    /// Ends an import as far as it has not been handed over: nothing more is sent for it.
    ///
    /// What others put into the same submission goes on without it. It is closed once what is at the server already has its
    /// outcome; where no row was left out, it ends as it would have. `reason` says who asked for it and when.
    func cancel(_ id: ImportID, reason: String, at now: Date) async throws -> Cancellation
    /// Where the media of an import went that did not end well.
    func mediaPutAway(of id: ImportID) async throws -> [(path: FilePath, destination: FilePath)]
    /// Forgets that, since it was fetched back.
    func forgetMediaPutAway(of id: ImportID) async throws

    // MARK: Imports

    /// Records claimed manifests. One that is known already is left as it is.
    func open(_ imports: [NewImport], at now: Date) async throws
    /// Leases imports that wait in a phase and are due, oldest first.
    func leaseImports(in phase: ImportPhase, for grant: LeaseGrant, limit: Int) async throws -> [Leased<ImportRecord>]
    /// Puts an import back to be looked at later.
    func postpone(_ item: Leased<ImportRecord>, until: Date, reason: String, at now: Date) async throws

    // MARK: Planning

    /// Stores segments of a plan that is too large for one step; `isFirst` drops what an interrupted plan left.
    func recordSegments(
        _ segments: [PlannedSegment], of item: Leased<ImportRecord>, isFirst: Bool, at now: Date)
        async throws
    /// Ends the plan: the import's segments start to move, or the import ends here.
    func recordPlan(_ plan: ImportPlan, of item: Leased<ImportRecord>, isFirst: Bool, at now: Date) async throws

    // MARK: Media

    /// Leases media files that are to be found or uploaded and are due.
    func leaseMedia(for grant: LeaseGrant, limit: Int) async throws -> [Leased<MediaRecord>]
    /// Makes awaited media due, since something was seen at these paths of a watch.
    func wakeMedia(watch: String, paths: [FilePath], at now: Date) async throws
    /// Records that an awaited file is there, with what it is, and goes on holding the lease.
    func recordFound(_ item: Leased<MediaRecord>, identity: MediaIdentity, at now: Date) async throws
    /// Puts a media file back to be looked at later.
    func postpone(_ item: Leased<MediaRecord>, until: Date, isAwaited: Bool, at now: Date) async throws
    /// Records that the file's bytes are at the server under a URL; a warning is one of each import that names the file.
    ///
    /// - Returns: whether something can go on now that waited for this file.
    @discardableResult
    func recordUploaded(
        _ item: Leased<MediaRecord>, content: UploadedContent, warning: ErrorEntry?, at now: Date
    ) async throws -> Bool
    /// Records that the file will not be uploaded; the rows that name it fail with this error.
    func recordFailed(_ item: Leased<MediaRecord>, failure: ErrorEntry, at now: Date) async throws
    /// Content that was uploaded after a time, with this content type, and may be used again.
    func knownContent(
        sha256: [UInt8], bytes: Int64, type: String, uploadedAfter: Date
    ) async throws -> UploadedContent?
    /// Remembers content that was uploaded and is no media file of a watch, such as a long text.
    func recordContent(_ content: UploadedContent) async throws
    /// Whether any content of so many bytes was ever uploaded; to be asked of large ones only (``LargeContent``).
    func knowsContent(bytes: Int64) async throws -> Bool
    /// What was learned of a server's limits; `nil` when nothing was.
    func limit(_ name: String, of server: String) async throws -> Int?
    /// Remembers what was learned of a server's limits.
    func recordLimit(_ limit: Int, on name: String, of server: String) async throws
    /// Which of these paths of a watch an unfinished import names.
    func namedPaths(watch: String, among paths: [FilePath]) async throws -> Set<FilePath>
    /// Whether some import of the watch has not been planned, so that what it names is not known yet.
    func hasUnplannedImports(watch: String) async throws -> Bool
    /// Where the manifests of those imports were dropped, at most `limit` of them.
    func unplannedPaths(watch: String, limit: Int) async throws -> [FilePath]

    // MARK: Submissions

    /// Makes submissions of ready segments, and says when the next will be due.
    ///
    /// Segments with the same batch key share a submission. It is sealed when it is full, when nothing was added for
    /// the segments' linger, or when the first of them has waited ten times that long.
    func seal(limit: Int, at now: Date) async throws -> Sealing
    /// Leases submissions in some phases that are due.
    func leaseSubmissions(
        in phases: [SubmissionPhase], for grant: LeaseGrant, limit: Int
    ) async throws
        -> [Leased<SubmissionRecord>]
    /// Keeps what was found on the server before a submission is called, until it is settled.
    ///
    /// What a call does can be told only from how it was before, and its keys may mean other rows afterwards. `found` is
    /// the caller's own; a later one takes the place of an earlier.
    func recordFindings(_ item: Leased<SubmissionRecord>, found: Data, at now: Date) async throws
    /// What was found before a submission was called; `nil` when nothing was kept.
    func findings(of submission: SubmissionID) async throws -> Data?
    /// Whether changes of other imports to the same dataset were begun earlier and have not ended, so that what is on the
    /// server now is not what they will leave there.
    func isPrecededByChanges(_ submission: SubmissionRecord) async throws -> Bool
    /// Makes the intent to submit durable, in the way that the item says. From here on, no answer means
    /// ``SubmissionPhase/ambiguous``.
    ///
    /// A call without a `manifestURL` becomes no task: the imports with rows in it have started with it.
    func recordIntent(_ item: Leased<SubmissionRecord>, manifestURL: String?, at now: Date) async throws
    /// Has those files of a submission uploaded again whose addresses are too old to be sent, and says how many are to be
    /// waited for. By watch, what was uploaded after a time is good.
    func renewMedia(of submission: SubmissionID, uploadedAfter: [String: Date], at now: Date) async throws -> Int
    /// Takes the intent back: the server certainly did not see the call.
    func recordNotSubmitted(_ item: Leased<SubmissionRecord>, until: Date, reason: String, at now: Date) async throws
    /// Records the task that the server made of the submission.
    func recordTask(
        _ item: Leased<SubmissionRecord>, task: TaskID, status: String, nextPoll: Date, at now: Date)
        async throws
    /// Records that it is not known whether the server took the submission, or that it is still not known.
    func recordAmbiguous(_ item: Leased<SubmissionRecord>, nextLook: Date, reason: String, at now: Date) async throws
    /// Records what polls saw, and gives the leases back.
    func recordSightings(_ sightings: [(Leased<SubmissionRecord>, TaskSighting)], at now: Date) async throws
    /// Puts a submission back to be worked on later.
    func postpone(_ item: Leased<SubmissionRecord>, until: Date, reason: String, at now: Date) async throws
    /// Records the outcome of every segment of a submission.
    ///
    /// Rows that are to be sent again become segments; an import whose last segment this was goes on to be closed.
    func settle(
        _ item: Leased<SubmissionRecord>, outcomes: [SegmentOutcome], status: String, reason: String, at now: Date
    ) async throws

    // MARK: Closing

    /// The parts from which the results of an import are joined, in ascending order of their first rows.
    func resultsParts(of id: ImportID) async throws -> [ResultsPart]
    /// The same of several, in their order.
    func resultsParts(of ids: [ImportID]) async throws -> [[ResultsPart]]
    /// Fixes where manifests go after the import, before they are moved.
    func recordDestinations(_ closings: [Closing], at now: Date) async throws
    /// Ends imports: their results are written and their manifests moved.
    func recordClosed(_ closings: [Closing], at now: Date) async throws
    /// Leases media files that no unfinished import names.
    func leaseLeavingMedia(for grant: LeaseGrant, limit: Int) async throws -> [Leased<MediaRecord>]
    /// Fixes where media files go, before they are moved.
    func recordMediaDestinations(_ items: [(Leased<MediaRecord>, FilePath)], at now: Date) async throws
    /// Puts a media file back to be put away later.
    func postponeLeaving(_ item: Leased<MediaRecord>, until: Date, at now: Date) async throws
    /// Forgets media files that are where they belong.
    func recordMediaGone(_ items: [Leased<MediaRecord>], at now: Date) async throws

    /// Remembers files that stay in their drop folder, in the same step as nothing else: they are only looked up.
    func recordKept(_ files: [KeptFile], watch: String) async throws
    /// Which of these files stayed in their drop folder after an import, and are as they were.
    func keptFiles(watch: String, among files: [KeptFile]) async throws -> Set<FilePath>

    // MARK: Waiting

    /// When work that is not due yet will be; `nil` when there is none in this queue.
    func nextDue(_ queue: LedgerQueue, after now: Date) async throws -> Date?

    // MARK: Views

    /// Imports that changed after a revision, in the order of their changes.
    func imports(changedAfter revision: Int, limit: Int) async throws -> [ImportRecord]
    /// One import.
    func find(_ id: ImportID) async throws -> ImportRecord?
    /// Several imports, those of them that there are.
    func find(_ ids: [ImportID]) async throws -> [ImportRecord]
    /// The latest imports of a path in a watch, newest first.
    func find(watch: String?, path: FilePath) async throws -> [ImportRecord]
    /// The tasks of those imports after which no file was claimed that was dropped under the same name in the same watch.
    func tasks(ofLatestAmong records: [ImportRecord]) async throws -> [ImportID: [TaskEntry]]
    /// Imports by page, newest first.
    func imports(_ filter: ImportFilter) async throws -> [ImportRecord]
    /// The tasks of an import.
    func tasks(of id: ImportID) async throws -> [TaskEntry]
    /// The media of an unfinished import that is not there, at most `limit` names.
    func missingMedia(of id: ImportID, limit: Int) async throws -> [String]
    /// Every task, newest first, each with the manifests whose rows it holds.
    func tasks(isOpen: Bool?, limit: Int) async throws -> [(TaskEntry, [ImportRecord])]
    /// How much there is of everything.
    func totals() async throws -> LedgerTotals
}

/// What a stage of the pipeline waits for.
public enum LedgerQueue: Sendable, Hashable {
    case imports(ImportPhase)
    case media
    case leavingMedia
    case submissions([SubmissionPhase])
}

/// To whom and for how long items are leased.
public struct LeaseGrant: Sendable, Hashable {
    public var owner: LeaseOwner
    public var now: Date
    public var until: Date

    public init(owner: LeaseOwner, now: Date, until: Date) {
        self.owner = owner
        self.now = now
        self.until = until
    }
}

/// What a start found.
public struct Recovery: Sendable, Hashable {
    public var unfinishedImports = 0
    public var openSubmissions = 0
    public var ambiguousSubmissions = 0

    public init() {}
}

/// What planning an import found.
public struct ImportPlan: Sendable {
    public var datasetID: DatasetID?
    public var operation: String
    /// Segments with the same key may share a submission.
    public var batchKey: String
    public var maximumRowsPerTask: Int
    public var linger: TimeInterval
    /// How its rows are to be treated; given back with each segment.
    public var instructions: Data
    public var sha256: String?
    public var totalRows: Int
    public var rejectedRows: Int
    public var errors: [ErrorEntry]
    public var errorsTotal: Int
    /// What is odd about rows that are sent all the same, the first of them.
    public var warnings: [ErrorEntry]
    public var warningsTotal: Int
    public var segments: [PlannedSegment]
    /// Whether nothing may be sent before all media is uploaded, since one missing file rejects everything.
    public var holdsForMedia: Bool
    /// Results of the rows that were rejected.
    public var problemsPart: ResultsPart?
    /// Set when the import ends here.
    public var ending: (state: ImportState, reason: String)?

    public init(
        datasetID: DatasetID?, operation: String, batchKey: String, maximumRowsPerTask: Int, linger: TimeInterval,
        instructions: Data
    ) {
        self.datasetID = datasetID
        self.operation = operation
        self.batchKey = batchKey
        self.maximumRowsPerTask = maximumRowsPerTask
        self.linger = linger
        self.instructions = instructions
        totalRows = 0
        rejectedRows = 0
        errors = []
        errorsTotal = 0
        warnings = []
        warningsTotal = 0
        segments = []
        holdsForMedia = false
    }
}

/// What sealing did.
public struct Sealing: Sendable, Hashable {
    public var sealed = 0
    /// How many of them are to be looked up before they are sent.
    public var doubted = 0
    /// When the next submission will be due, if nothing is added to it; `nil` when no segment waits.
    public var next: Date?

    public init() {}
}

/// The end of one import.
public struct Closing: Sendable {
    public var item: Leased<ImportRecord>
    public var results: FilePath?
    public var failedRows: FilePath?
    /// Where the manifest goes; `nil` when it stays or is deleted.
    public var destination: FilePath?
    /// Whether its media is to be archived or deleted once nothing else names it.
    public var releasesMedia: Bool

    public init(
        item: Leased<ImportRecord>, results: FilePath?, failedRows: FilePath?, destination: FilePath?,
        releasesMedia: Bool
    ) {
        self.item = item
        self.results = results
        self.failedRows = failedRows
        self.destination = destination
        self.releasesMedia = releasesMedia
    }
}

/// Which imports to list.
public struct ImportFilter: Sendable, Hashable {
    public var watch: String?
    public var states: [ImportState]
    public var seenBefore: Date?
    /// Return only imports older than this revision of the page before.
    public var before: Int?
    public var limit: Int

    public init(
        watch: String? = nil, states: [ImportState] = [], seenBefore: Date? = nil, before: Int? = nil,
        limit: Int = 1000
    ) {
        self.watch = watch
        self.states = states
        self.seenBefore = seenBefore
        self.before = before
        self.limit = limit
    }
}

/// How much there is of everything.
public struct LedgerTotals: Sendable, Hashable {
    /// By watch and state.
    public var imports: [String: [ImportState: Int]] = [:]
    /// By watch: rows of all imports.
    public var rows: [String: RowCounts] = [:]
    /// By watch: warnings of all imports.
    public var warnings: [String: Int] = [:]
    /// By watch: when the oldest unfinished import was first seen.
    public var oldestUnfinished: [String: Date] = [:]
    public var submissions: [SubmissionPhase: Int] = [:]
    public var media: [MediaPhase: Int] = [:]
    public var readySegments = 0

    public init() {}
}
