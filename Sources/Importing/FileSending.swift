internal import DequeModule
package import LabelboxAPI
internal import Locking
internal import Transport

/// Sends media files, small ones several in a request.
///
/// An account has a budget of requests, not of files: at 1,500 requests a minute one file a request is 25 files a second,
/// however small they are and however fast the wire is. So small files that are ready while all requests are under way
/// share the next one. Nothing waits for company: a file that finds a request free goes at once.
///
/// No server has to take that. What comes of a file that could not be sent with others is decided by sending it alone. A server that
/// twice in a row refused what it took file by file is not asked again; one that calls it too much gets fewer.
package final class FileSending: Sendable {
    /// How much goes together.
    package struct Limits: Sendable {
        /// Requests at a time, at least 1; asked before each.
        var requests: @Sendable () -> Int
        /// Files in one request, at least 1; asked before each.
        var files: @Sendable () -> Int
        /// A file with more bytes goes alone: what it costs is not the request.
        var smallBytes: Int64 = 1 << 20
        /// As much as a chunk of rows, which every server takes.
        var requestBytes: Int64 = 10_000_000

        /// Creates limits, which the configuration may change at any time.
        package init(requests: @escaping @Sendable () -> Int, files: @escaping @Sendable () -> Int) {
            self.requests = requests
            self.files = files
        }
    }

    private enum Turn {
        /// A request is free for this file, and for those that join until it departs.
        case lead(departure: Int)
        /// A request is free for this file, and for these with it.
        case send(with: [Waiting])
        case sent(Result<UploadedFile, LabelboxError>)
    }

    private struct Waiting {
        let file: FileUpload
        let continuation: CheckedContinuation<Turn, Never>
    }

    private struct State {
        var underWay = 0
        var waiting = Deque<Waiting>()
        /// How many small files may still join the request that is about to go out, and the number of that request.
        var seats = 0
        var departure = 0
        /// How many files the server was found to take.
        var learned: Int
        /// Requests in a row that were refused though their files were taken one by one.
        var refusals = 0
    }

    private let client: LabelboxClient
    private let limits: Limits
    private let state: Locked<State>
    /// Hears how many files go together from now on, and why.
    private let takesFewer: @Sendable (_ files: Int, _ reason: String) async -> Void

    /// - Parameters:
    ///   - client: what they are sent by.
    ///   - limits: how much goes together.
    ///   - learned: how many files the server was found to take in a request before.
    ///   - takesFewer: hears when it takes fewer.
    package init(
        client: LabelboxClient, limits: Limits, learned: Int? = nil,
        takesFewer: @escaping @Sendable (_ files: Int, _ reason: String) async -> Void
    ) {
        self.client = client
        self.limits = limits
        self.takesFewer = takesFewer
        state = Locked(State(learned: max(1, learned ?? .max)))
    }

    /// How many files wait for a request.
    package var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// How many files go into one request now.
    package var filesTogether: Int { min(limits.files(), state.withLock { $0.learned }) }

    /// Sends a file, when a request is free for it.
    ///
    /// - Throws: what became of it when it was sent alone.
    package func send(_ file: FileUpload) async throws(LabelboxError) -> UploadedFile {
        let turn = await withCheckedContinuation { continuation in
            let departure = state.withLock { state -> Int? in
                let joins = state.seats > 0 && isSmall(file)
                guard state.underWay < limits.requests(), !joins else {
                    state.waiting.append(Waiting(file: file, continuation: continuation))
                    if joins { state.seats -= 1 }
                    return nil
                }
                state.underWay += 1
                state.departure += 1
                state.seats = isSmall(file) ? min(limits.files(), state.learned) - 1 : 0
                return state.departure
            }
            if let departure { continuation.resume(returning: .lead(departure: departure)) }
        }
        switch turn {
        case .sent(let result): return try result.get()
        case .send(let others): return try await lead(file, others).get()
        case .lead(let departure):
            // Whoever is ready at this very moment, and only has not come to run yet, comes along.
            if isSmall(file) { await Task.yield() }
            let others = state.withLock { state in
                // Those of a later departure are its own.
                if state.departure == departure { state.seats = 0 }
                return takeCompany(for: file, from: &state)
            }
            return try await lead(file, others).get()
        }
    }

    /// Sends a file with others, and tells each of them what became of it.
    private func lead(_ file: FileUpload, _ others: [Waiting]) async -> Result<UploadedFile, LabelboxError> {
        // Also when the task was cancelled meanwhile: the others' turn must come too.
        defer { passOn() }
        let results = await sendTogether([file] + others.map(\.file))
        for (other, result) in zip(others, results.dropFirst()) {
            other.continuation.resume(returning: .sent(result))
        }
        return results[0]
    }

    /// Lets the one that has waited longest go next, and with it as many as may.
    private func passOn() {
        let next = state.withLock { state -> (Waiting, [Waiting])? in
            // More are under way than may be any more, or nothing waits.
            guard state.underWay <= limits.requests(), let first = state.waiting.popFirst() else {
                state.underWay -= 1
                return nil
            }
            return (first, takeCompany(for: first.file, from: &state))
        }
        if let (first, others) = next { first.continuation.resume(returning: .send(with: others)) }
    }

    /// Takes those that go with a file, in the order in which they came.
    private func takeCompany(for first: FileUpload, from state: inout State) -> [Waiting] {
        let together = min(limits.files(), state.learned)
        guard isSmall(first), together > 1 else { return [] }
        var others: [Waiting] = []
        var bytes = first.content.byteCount
        // Large files keep their place. No more wait than there are hands.
        var left = Deque<Waiting>()
        for waiting in state.waiting {
            if isSmall(waiting.file), others.count < together - 1,
                bytes + waiting.file.content.byteCount <= limits.requestBytes
            {
                bytes += waiting.file.content.byteCount
                others.append(waiting)
            } else {
                left.append(waiting)
            }
        }
        state.waiting = left
        return others
    }

    private func isSmall(_ file: FileUpload) -> Bool { file.content.byteCount <= limits.smallBytes }

    private func sendTogether(_ files: [FileUpload]) async -> [Result<UploadedFile, LabelboxError>] {
        guard files.count > 1 else { return [await sendAlone(files[0])] }
        let answer: [UploadedFile?]
        let refusal: String
        do throws(LabelboxError) {
            answer = try await client.uploadFiles(files)
            refusal = "some of the files in a request had no address of their own in the answer"
        } catch {
            switch error.kind {
            case .cancelled: return files.map { _ in .failure(error) }
            case .tooLarge, .queryTooComplex:
                let half = files.count / 2
                await take(half, reason: "\(error)") { $0.learned = min($0.learned, half) }
                return await sendTogether(Array(files[..<half])) + sendTogether(Array(files[half...]))
            default: break
            }
            answer = files.map { _ in nil }
            refusal = "\(error)"
        }
        var results: [Result<UploadedFile, LabelboxError>] = []
        var isGuiltless = true
        for (file, uploaded) in zip(files, answer) {
            let result: Result<UploadedFile, LabelboxError>
            if let uploaded { result = .success(uploaded) } else { result = await sendAlone(file) }
            if case .failure = result { isGuiltless = false }
            results.append(result)
        }
        if !answer.contains(nil) {
            state.withLock { $0.refusals = 0 }
        } else if isGuiltless {
            await take(1, reason: refusal) { state in
                state.refusals += 1
                if state.refusals == 2 { state.learned = 1 }
            }
        }
        return results
    }

    private func sendAlone(_ file: FileUpload) async -> Result<UploadedFile, LabelboxError> {
        do throws(LabelboxError) {
            return .success(
                try await client.uploadFile(
                    content: file.content, byteCount: file.content.byteCount, filename: file.filename,
                    contentType: file.contentType))
        } catch {
            return .failure(error)
        }
    }

    /// Changes how many files go together, and tells of it when that made a difference.
    private func take(_ files: Int, reason: String, _ change: @Sendable (inout State) -> Void) async {
        let isNew = state.withLock { state in
            let before = state.learned
            change(&state)
            return state.learned < before && state.learned == files
        }
        if isNew { await takesFewer(files, reason) }
    }
}
