import Foundation
import Locking

/// What lies between the daemon and the simulator: real sockets, and whatever a test wants to go wrong on them.
///
/// It takes one request after the other from a connection, passes it on over a connection of its own, and hands the answer
/// back. It is a proxy too, for requests with a whole address and for tunnels.
final class HostileNetwork: Sendable {
    /// A trouble, and which requests it is for.
    struct Rule: Sendable {
        var mischief: Mischief
        /// The name of a GraphQL operation, such as `UploadFile`; or the method of another request, such as `GET`; or `*`.
        var call: String
        /// How often it still happens; nil for as long as the rule stands.
        var times: Int?
    }

    private struct State {
        var server = 0
        var rules: [Rule] = []
        var isDown = false
        var isClosed = false
        var listener: Socket?
        var open: [CInt: Socket] = [:]
        var met: [String: Int] = [:]
        var calls: [String: Int] = [:]
        var submits: [String: Int] = [:]
        var carriedOut: [String: Int] = [:]
        var connections = 0
        /// How likely any request is to meet some trouble, and by what chance.
        var chance: (rate: Double, random: Chance)?
        /// The only key that is let through, as the server's own; nil lets every key through as it is.
        var key: String?

        mutating func choose(_ call: String) -> Mischief? {
            if let index = rules.firstIndex(where: { [call, "*"].contains($0.call) && $0.times != 0 }) {
                if let times = rules[index].times { rules[index].times = times - 1 }
                return rules[index].mischief
            }
            guard case (let rate, var random)? = chance.take() else { return nil }
            defer { chance = (rate, random) }
            guard Double.random(in: 0..<1, using: &random) < rate else { return nil }
            return Mischief.connectionTroubles.randomElement(using: &random)
        }
    }

    let port: Int
    private let state = Locked(State())

    init() throws {
        let (listener, port) = try Socket.listening()
        self.port = port
        state.withLock { $0.listener = listener }
        listen(on: listener)
    }

    var endpoint: String { "http://127.0.0.1:\(port)/graphql" }

    /// Passes on to a server on loopback from now on.
    func connect(to server: Int) { state.withLock { $0.server = server } }

    // MARK: What goes wrong

    /// Makes calls of a name go wrong, so many times or until ``heal()``.
    func aim(_ mischief: Mischief, at call: String, times: Int? = 1) {
        state.withLock { $0.rules.append(Rule(mischief: mischief, call: call, times: times)) }
    }

    /// Makes any request meet some trouble of connections, by chance, until ``heal()``.
    func misbehave(in rate: Double, seed: UInt64) {
        state.withLock { $0.chance = (rate, Chance(seed: seed)) }
    }

    /// Lets everything go right from now on; what hangs is let go.
    func heal() {
        state.withLock { state in
            state.rules = []
            state.chance = nil
        }
        cut()
    }

    /// Resets every connection that is open.
    func cut() {
        // Under the lock: a descriptor that is closed may already be somebody else's.
        state.withLock { state in
            for socket in state.open.values {
                socket.resetAtClose()
                socket.shutDown()
            }
        }
    }

    /// Takes no connections any more, and resets those that are open.
    func goDown() {
        let listener = state.withLock { state in
            state.isDown = true
            return state.listener.take()
        }
        listener?.shutDown()
        cut()
    }

    /// Takes connections again.
    func comeBack() throws {
        let (listener, _) = try Socket.listening(at: UInt16(port))
        state.withLock { state in
            state.isDown = false
            state.listener = listener
        }
        listen(on: listener)
    }

    /// Lets only one key through from now on, whatever the server's is; others are answered with 401.
    func accept(key: String) { state.withLock { $0.key = key } }

    /// Takes no more connections.
    func close() {
        state.withLock { $0.isClosed = true }
        goDown()
    }

    // MARK: What happened

    /// How often a trouble has happened.
    func count(of mischief: Mischief) -> Int { state.withLock { $0.met[mischief.description] ?? 0 } }

    /// How many calls there were of each name, gone wrong or not.
    var calls: [String: Int] { state.withLock { $0.calls } }

    /// How many requests there were in all.
    var requests: Int { calls.values.reduce(0, +) }

    /// How many connections were made.
    var connections: Int { state.withLock { $0.connections } }

    /// How often each call that starts an import has come, by what it hands over.
    var submits: [String: Int] { state.withLock { $0.submits } }

    /// The same of those that the server got.
    var carriedOut: [String: Int] { state.withLock { $0.carriedOut } }

    // MARK: Connections

    private func listen(on listener: Socket) {
        let thread = Thread { [self] in
            defer { listener.close() }
            while let connection = listener.accepted() {
                let isTaken = state.withLock { state in
                    guard !state.isDown else { return false }
                    state.connections += 1
                    state.open[connection.descriptor] = connection
                    return true
                }
                guard isTaken else {
                    connection.close()
                    return
                }
                Thread.detachNewThread { [self] in
                    serve(connection)
                    state.withLock { _ = $0.open.removeValue(forKey: connection.descriptor) }
                    connection.close()
                }
            }
        }
        thread.start()
    }

    private func serve(_ connection: Socket) {
        var reader = WireReader(connection)
        while let head = reader.head() {
            if head.start.hasPrefix("CONNECT ") { return tunnel(head, &reader) }
            let length = head["Content-Length"].flatMap(Int.init) ?? 0
            // A form names its operation further behind than a request of JSON does.
            let call = Self.call(head, String(decoding: reader.peek(2_000, of: length), as: UTF8.self))
            let mischief = meet(call)
            guard mischief?.isRead != false else { return connection.resetAtClose() }
            guard let body = reader.body(length, pace: mischief?.pace ?? 0) else { return }
            var request = head
            request.body = body
            if let refusal = refusal(request) {
                guard connection.send(refusal.bytes) else { return }
                continue
            }
            count(call, body, isForwarded: mischief?.isForwarded != false)
            guard answer(request, mischief, on: connection) else { return }
        }
    }

    /// What is asked, by the name of its operation.
    private static func call(_ head: WireMessage, _ beginning: String) -> String {
        if let name = beginning.firstMatch(of: /(?:query|mutation) (\w+)/) { return String(name.1) }
        return String(head.start.prefix { $0 != " " })
    }

    private func meet(_ call: String) -> Mischief? {
        state.withLock { state in
            state.calls[call, default: 0] += 1
            guard let mischief = state.choose(call) else { return nil }
            state.met[mischief.description, default: 0] += 1
            return mischief
        }
    }

    private func count(_ call: String, _ body: [UInt8], isForwarded: Bool) {
        guard ["UpsertDataRows", "AppendRows", "CreateDataRow"].contains(call) else { return }
        // What tells one from another is in the variables, which follow the query.
        let text = String(decoding: body, as: UTF8.self)
        let variables = text.firstRange(of: #""variables""#).map { String(text[$0.lowerBound...]) } ?? text
        state.withLock { state in
            state.submits[variables, default: 0] += 1
            if isForwarded { state.carriedOut[variables, default: 0] += 1 }
        }
    }

    /// Answers a request; false when the connection is over.
    private func answer(_ request: WireMessage, _ mischief: Mischief?, on connection: Socket) -> Bool {
        let answer = mischief?.isForwarded == false ? nil : forward(request)
        guard let mischief else {
            // The server is gone: so is this connection.
            guard let answer else { return false }
            return connection.send(answer.bytes)
        }
        return end(mischief.ending, answer, on: connection)
    }

    private func end(_ ending: Mischief.Ending, _ answer: WireMessage?, on connection: Socket) -> Bool {
        switch ending {
        case .reset:
            connection.resetAtClose()
            return false
        case .close:
            connection.finish()
            return false
        case .hold:
            while connection.receive() != nil {}
            return false
        case .answer(let make):
            return connection.send(make(answer).bytes)
        case .half(let next):
            let bytes = answer?.bytes ?? []
            connection.send(bytes.prefix(bytes.count / 2))
            return end(next, nil, on: connection)
        case .drip(let count, let pause):
            var bytes = (answer?.bytes ?? [])[...]
            while !bytes.isEmpty {
                guard connection.send(bytes.prefix(count)) else { return false }
                bytes = bytes.dropFirst(count)
                usleep(pause * 1_000)
            }
            return true
        case .flood(let beginning, let more):
            var isRead = connection.send(beginning)
            while isRead { isRead = connection.send(more) }
            return false
        }
    }

    private func refusal(_ request: WireMessage) -> WireMessage? {
        guard let key = state.withLock({ $0.key }), request["Authorization"] != "Bearer \(key)",
            request.start.hasPrefix("POST")
        else { return nil }
        let words = "Invalid API key. Please check that your API key is valid"
        return .answer(
            "401 Unauthorized",
            #"{"errors": [{"message": "\#(words)", "extensions": {"code": "AUTHENTICATION_ERROR"}}]}"#)
    }

    // MARK: The server

    /// Passes a request on; nil when the server gives no answer.
    private func forward(_ request: WireMessage) -> WireMessage? {
        let (port, key) = state.withLock { ($0.server, $0.key) }
        guard let server = Socket.connected(to: port) else { return nil }
        defer { server.close() }
        var request = request
        request.start = Self.withPathAlone(request.start)
        if key != nil {
            request.headers = request.headers.map { name, value in
                (name, name.lowercased() == "authorization" ? "Bearer \(Simulator.key)" : value)
            }
        }
        let own = WireMessage(start: request.start, headers: request.headers, body: request.body)
        var head = own.head(length: request.body.count)
        head.removeLast(2)
        guard server.send(head + Array("Connection: close\r\n\r\n".utf8) + request.body) else { return nil }
        var reader = WireReader(server)
        guard var answer = reader.head() else { return nil }
        guard let body = reader.body(answer["Content-Length"].flatMap(Int.init)) else { return nil }
        answer.body = body
        return leadHere(answer, server: port)
    }

    /// `POST http://host:1/path HTTP/1.1`, as a proxy is asked, with the path alone.
    private static func withPathAlone(_ start: String) -> String {
        let words = start.split(separator: " ")
        guard words.count == 3, let scheme = words[1].firstRange(of: "://") else { return start }
        return "\(words[0]) \(words[1][scheme.upperBound...].drop { $0 != "/" }) \(words[2])"
    }

    /// Files of results are fetched from here, too.
    private func leadHere(_ answer: WireMessage, server: Int) -> WireMessage {
        guard answer["Content-Type"]?.hasPrefix("application/json") == true,
            answer.body.firstRange(of: Array("/results/".utf8)) != nil
        else { return answer }
        var answer = answer
        let text = String(decoding: answer.body, as: UTF8.self)
        answer.body = Array(
            text.replacing("127.0.0.1:\(server)/results/", with: "127.0.0.1:\(port)/results/").utf8)
        return answer
    }

    // MARK: Tunnels

    private func tunnel(_ head: WireMessage, _ reader: inout WireReader) {
        let connection = reader.socket
        if let mischief = meet("CONNECT") {
            guard mischief.isForwarded else {
                _ = end(mischief.ending, nil, on: connection)
                return
            }
            // Half of what is said passes.
            connection.send(Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8))
            _ = connection.receive()
            return connection.resetAtClose()
        }
        let address = head.start.split(separator: " ").dropFirst().first ?? ""
        guard let port = address.split(separator: ":").last.flatMap({ Int($0) }),
            let server = Socket.connected(to: port)
        else {
            connection.send(WireMessage.answer("502 Bad Gateway", "no such host", type: "text/plain").bytes)
            return
        }
        connection.send(Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8))
        server.send(reader.rest())
        let ended = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            while let bytes = server.receive(), connection.send(bytes) {}
            connection.shutDown()
            ended.signal()
        }
        while let bytes = connection.receive(), server.send(bytes) {}
        server.shutDown()
        ended.wait()
        server.close()
    }
}
