internal import CCurl
internal import CCurlShim
internal import Glibc
internal import Locking

/// Runs every transfer on one thread of its own.
///
/// Other threads leave letters in the mailbox and ring the bell; no libcurl handle ever leaves this thread, down to
/// the cleanup, because there SIGPIPE is blocked. The thread is the lock.
final class CurlLoop: Sendable {
    private struct Mailbox {
        var arrivals: [Arrival] = []
        var someAreCancelled = false
        var isClosed = false
        /// Bytes a second for all bodies together; `nil` for no limit.
        var sendLimit: Int64?
        /// The thread is gone, and the multi handle with it.
        var hasEnded = false
        var waitingForTheEnd: [CheckedContinuation<Void, Never>] = []
        /// When the thread last looked into the box.
        var looked = ContinuousClock.now
        /// Whether it has transfers, and so looks again soon.
        var isBusy = false
    }

    /// How long the thread has not done what it should have; nil when it owes nothing.
    ///
    /// With transfers it looks at least every ``longestPoll``; else once for each arrival.
    var silence: Duration? {
        mailbox.withLock { box in
            guard box.isBusy || !box.arrivals.isEmpty, !box.hasEnded else { return nil }
            return ContinuousClock.now - (box.arrivals.first.map { max($0.came, box.looked) } ?? box.looked)
        }
    }

    /// With transfers under way, in milliseconds.
    private static let longestPoll: Int32 = 10_000

    private struct Arrival {
        let request: HTTPRequest
        let ticket: Ticket
        let came = ContinuousClock.now
    }

    /// The multi handle's address.
    ///
    /// `@unchecked Sendable` for one call: `curl_multi_wakeup` may be made from any thread (curl_multi_wakeup(3)), and
    /// is made under the mailbox's lock and only before `hasEnded`. Every other use is on the loop's thread.
    private struct Multi: @unchecked Sendable { let raw: UnsafeMutableRawPointer }

    private typealias Table = [UnsafeMutableRawPointer: Transfer]

    private let multi: Multi
    private let configuration: CurlTransport.Configuration
    private let mailbox = Locked(Mailbox())

    private static let libcurlIsReady = ccurl_global_init() == CURLE_OK

    init(_ configuration: CurlTransport.Configuration) throws(TransportError) {
        guard Self.libcurlIsReady, let raw = curl_multi_init() else {
            throw TransportError(.other, reach: .notSent, message: "libcurl does not start: out of memory", url: "")
        }
        multi = Multi(raw: raw)
        self.configuration = configuration
        // How many connections are kept; how many are open is decided in `admit`.
        _ = ccurl_multi_set_long(raw, CURLMOPT_MAXCONNECTS, configuration.maxConnections)

        let me = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                ccurl_prepare_thread("transport")
                Unmanaged<CurlLoop>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, me.toOpaque())
        guard error == 0 else {
            me.release()
            curl_multi_cleanup(raw)
            throw TransportError(
                .other, reach: .notSent, message: "no thread for the network: \(String(cString: strerror(error)))",
                url: "")
        }
        pthread_detach(thread)
    }

    /// Takes a request on; its ticket is answered on every path.
    func start(_ request: HTTPRequest, _ ticket: Ticket) {
        let isClosed = mailbox.withLock { box in
            if !box.isClosed {
                box.arrivals.append(Arrival(request: request, ticket: ticket))
                wake(box)
            }
            return box.isClosed
        }
        if isClosed { ticket.finish(.failure(Self.shutDown(request))) }
    }

    /// Makes the loop look for tickets that were cancelled.
    func lookForCancelled() {
        mailbox.withLock { box in
            box.someAreCancelled = true
            wake(box)
        }
    }

    /// Limits how fast bodies are sent, all together, from now on; `nil` ends that.
    func limitSending(to bytesPerSecond: Int64?) {
        mailbox.withLock { box in
            box.sendLimit = bytesPerSecond
            wake(box)
        }
    }

    /// Ends the loop; what is under way is answered with `shutDown`.
    func close() {
        mailbox.withLock { box in
            box.isClosed = true
            wake(box)
        }
    }

    /// Returns when the thread has answered everyone and let go of libcurl.
    func waitForTheEnd() async {
        await withCheckedContinuation { continuation in
            let hasEnded = mailbox.withLock { box in
                if !box.hasEnded { box.waitingForTheEnd.append(continuation) }
                return box.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    private func wake(_ box: Mailbox) {
        if !box.hasEnded { curl_multi_wakeup(multi.raw) }
    }

    // MARK: On the loop's thread

    private func run() {
        var transfers: Table = [:]  // keyed by easy handle, which is all that CURLMsg names
        var queue: [Arrival] = []
        var queueStart = 0
        let turnstile = SendTurnstile()

        while true {
            let (arrivals, someAreCancelled, isClosed, sendLimit) = mailbox.withLock { box in
                defer {
                    box.looked = .now
                    box.isBusy = true
                    box.arrivals = []
                    box.someAreCancelled = false
                }
                return (box.arrivals, box.someAreCancelled, box.isClosed, box.sendLimit)
            }
            queue += arrivals
            if isClosed { break }
            turnstile.set(sendLimit)
            if someAreCancelled {
                for transfer in transfers.values where transfer.ticket.isCancelled {
                    detach(transfer, from: &transfers, turnstile)
                    transfer.ticket.finish(.failure(transfer.failure(.cancelled, "cancelled by the caller")))
                }
                for arrival in queue[queueStart...] where arrival.ticket.isCancelled {
                    arrival.ticket.finish(.failure(Self.cancelled(arrival.request)))
                }
            }
            while queueStart < queue.count, transfers.count < configuration.maxConnections {
                admit(queue[queueStart], into: &transfers, turnstile)
                queueStart += 1
            }
            // Dropped in one go and not one by one, which would move all the others each time.
            if queueStart == queue.count || queueStart > 1024 {
                queue.removeFirst(queueStart)
                queueStart = 0
            }

            var running: Int32 = 0
            check(curl_multi_perform(multi.raw, &running))
            let finished = finishCompleted(in: &transfers, turnstile)
            if finished && queueStart < queue.count { continue }
            let isBusy = !transfers.isEmpty || queueStart < queue.count
            mailbox.withLock { $0.isBusy = isBusy }
            let turn = turnstile.letOn()
            if turn == 0 { continue }
            // A backstop and no poll interval: arrivals and cancellations wake us, and libcurl shortens it to its own
            // timers. Idle, it should cost no wake-ups.
            let longest = transfers.isEmpty ? 3_600_000 : Self.longestPoll
            check(curl_multi_poll(multi.raw, nil, 0, min(longest, turn ?? .max), nil))
        }

        for transfer in transfers.values {
            let outcome = transfer.failure(.shutDown, "the transport was shut down")
            detach(transfer, from: &transfers, turnstile)
            transfer.ticket.finish(.failure(outcome))
        }
        for arrival in queue[queueStart...] { arrival.ticket.finish(.failure(Self.shutDown(arrival.request))) }

        mailbox.withLock { $0.hasEnded = true }
        curl_multi_cleanup(multi.raw)
        let waiting = mailbox.withLock { box in
            defer { box.waitingForTheEnd = [] }
            return box.waitingForTheEnd
        }
        for continuation in waiting { continuation.resume() }
    }

    private func admit(_ arrival: Arrival, into transfers: inout Table, _ turnstile: SendTurnstile) {
        if arrival.ticket.isCancelled {
            return arrival.ticket.finish(.failure(Self.cancelled(arrival.request)))
        }
        do throws(TransportError) {
            let transfer = try Transfer(
                arrival.request, ticket: arrival.ticket, configuration: configuration, turnstile: turnstile)
            transfers[transfer.easy.raw] = transfer
            check(curl_multi_add_handle(multi.raw, transfer.easy.raw))
        } catch {
            arrival.ticket.finish(.failure(error))
        }
    }

    private func finishCompleted(in transfers: inout Table, _ turnstile: SendTurnstile) -> Bool {
        var remaining: Int32 = 0
        var someFinished = false
        while let message = curl_multi_info_read(multi.raw, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE, let transfer = transfers[message.pointee.easy_handle] else {
                continue
            }
            // Read before detaching: the message dies with curl_multi_remove_handle.
            let code = ccurl_message_result(message)
            detach(transfer, from: &transfers, turnstile)
            transfer.ticket.finish(transfer.outcome(code))
            someFinished = true
        }
        return someFinished
    }

    /// Takes the handle out of libcurl first, and only then lets go of the transfer.
    private func detach(_ transfer: Transfer, from transfers: inout Table, _ turnstile: SendTurnstile) {
        turnstile.leave(transfer.easy.raw)
        check(curl_multi_remove_handle(multi.raw, transfer.easy.raw))
        transfers[transfer.easy.raw] = nil
    }

    private static func cancelled(_ request: HTTPRequest) -> TransportError {
        TransportError(.cancelled, reach: .notSent, message: "cancelled by the caller", url: request.url)
    }

    private static func shutDown(_ request: HTTPRequest) -> TransportError {
        TransportError(.shutDown, reach: .notSent, message: "the transport was shut down", url: request.url)
    }
}

/// The multi interface fails only when it is misused or memory is gone, so: a trap, no error.
private func check(_ code: CURLMcode, _ caller: StaticString = #function) {
    precondition(code == CURLM_OK, "\(caller): \(String(cString: curl_multi_strerror(code)))")
}
