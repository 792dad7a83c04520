/// What was asked of the simulator, counted and, for the last requests, in full.
struct Journal: Sendable {
    /// A request that ended.
    struct Entry: Sendable {
        let time: Moment
        let connection: Int
        let method: String
        let path: String
        let operations: [String]
        let received: Int
        /// The status, or how the connection ended.
        let outcome: String
        let fault: Faults.Kind?
        let duration: Duration

        var json: JSONValue {
            [
                "time": .string(time.text), "connection": JSONValue(connection), "method": .string(method),
                "path": .string(path), "operations": .list(operations.map { .string($0) }),
                "bytes": JSONValue(received),
                "outcome": .string(outcome), "fault": fault.map { .string($0.rawValue) } ?? .null,
                "duration_ms": JSONValue(Int(duration.milliseconds)),
            ]
        }
    }

    private var last: [Entry] = []
    private var next = 0
    private let length: Int
    private(set) var byOperation: [String: Int] = [:]
    private(set) var byOutcome: [String: Int] = [:]
    private(set) var total = 0
    private(set) var bytesReceived = 0
    private(set) var uploads = 0
    private(set) var uploadedBytes = 0
    /// Requests to submit an import that arrived, carried out or not.
    private(set) var submitsReceived = 0
    /// How often each manifest or import file was submitted.
    private(set) var arrivals: [String: Int] = [:]
    private(set) var connections = 0
    private(set) var openConnections = 0
    private(set) var concurrent = 0
    private(set) var maximumConcurrent = 0
    private(set) var minute = BusiestMinute()
    private(set) var refusedRequests = 0

    init(length: Int) { self.length = length }

    mutating func connected() -> Int {
        connections += 1
        openConnections += 1
        return connections
    }

    mutating func disconnected() { openConnections -= 1 }

    mutating func began(_ now: Moment, isCall: Bool) {
        concurrent += 1
        maximumConcurrent = max(maximumConcurrent, concurrent)
        if isCall { minute.add(now) }
    }

    mutating func ended(_ entry: Entry) {
        concurrent -= 1
        total += 1
        bytesReceived += entry.received
        byOutcome[entry.outcome, default: 0] += 1
        for operation in entry.operations { byOperation[operation, default: 0] += 1 }
        if last.count < length {
            last.append(entry)
        } else if length > 0 {
            last[next] = entry
            next = (next + 1) % length
        }
    }

    mutating func refused() { refusedRequests += 1 }

    mutating func submitted(_ address: String) {
        submitsReceived += 1
        arrivals[address, default: 0] += 1
    }

    mutating func uploaded(_ bytes: Int) {
        uploads += 1
        uploadedBytes += bytes
    }

    /// The last `count` requests, oldest first.
    func entries(_ count: Int) -> [Entry] { Array((last[next...] + last[..<next]).suffix(max(0, count))) }
}
