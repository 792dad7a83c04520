internal import Locking
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// One client's connection: reads requests as they arrive, and writes or withholds the answers.
final class ConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let service: Service
    private var connection = 0
    private var request: Incoming?
    /// Set when the connection is done for; what still arrives is ignored.
    private var isOver = false

    init(service: Service) { self.service = service }

    /// A request that is being read.
    fileprivate struct Incoming {
        let head: HTTPRequestHead
        let started: Moment
        let isCall: Bool
        var received = 0
        var call = Service.Call()
        var multipart: MultipartParser?
    }

    // MARK: Reading

    func channelActive(context: ChannelHandlerContext) {
        connection = service.control.withLock { $0.journal.connected() }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        service.control.withLock { $0.journal.disconnected() }
        if request != nil { end(outcome: "disconnected", operations: [], fault: nil) }
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head, context)
        case .body(let buffer): receive(buffer)
        case .end: finish(context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isOver = true
        context.close(promise: nil)
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let now = Moment.now()
        let path = head.uri.prefix { $0 != "?" }
        let isCall = head.method == .POST && path == "/graphql"
        service.control.withLock { $0.journal.began(now, isCall: isCall) }
        var incoming = Incoming(head: head, started: now, isCall: isCall)
        if isCall {
            incoming.call.refusal = service.refusal(authorization: head.headers.first(name: "Authorization"), now: now)
            if let boundary = head.headers.first(name: "Content-Type").flatMap(MultipartParser.boundary(of:)) {
                incoming.multipart = MultipartParser(boundary: boundary)
                incoming.call.form = FormReceiver(folder: service.folder, discardsMedia: service.settings.discardsMedia)
            }
            let length = head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
            if let limit = service.settings.maximumRequestBytes, length > limit {
                request = incoming
                var response = Response.tooLarge()
                response.closes = true
                isOver = true
                end(outcome: "413", operations: [], fault: nil)
                return write(response, isKeptAlive: false, context)
            }
        }
        request = incoming
        if head.headers.first(name: "Expect")?.lowercased() == "100-continue" {
            let head = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
        }
    }

    private func receive(_ buffer: ByteBuffer) {
        // Taken out and put back, so that what was gathered is not copied by the change.
        guard var incoming = request.take() else { return }
        incoming.received += buffer.readableBytes
        if incoming.multipart != nil {
            incoming.read(buffer)
        } else if incoming.received <= Self.bodyLimit {
            incoming.call.body.append(contentsOf: buffer.readableBytesView)
        }
        request = incoming
    }

    /// More than this is no JSON request.
    private static let bodyLimit = 256 << 20

    private func finish(_ context: ChannelHandlerContext) {
        guard let incoming = request else { return }
        let head = incoming.head
        guard incoming.isCall else {
            let response = service.page(
                method: head.method.rawValue, uri: head.uri, body: incoming.call.body, now: incoming.started)
            end(outcome: String(response.status), operations: [], fault: nil)
            return write(response, isKeptAlive: head.isKeepAlive, context)
        }
        var call = incoming.call
        if let multipart = incoming.multipart, !multipart.isComplete, call.formError == nil {
            call.formError = "The form ends before its last boundary"
        }
        let outcome = service.answer(call, now: incoming.started)
        switch outcome.ending {
        case .reset:
            end(outcome: "reset", operations: outcome.operations, fault: outcome.fault)
            reset(context)
        case .answer(let response, let delay):
            end(outcome: String(response.status), operations: outcome.operations, fault: outcome.fault)
            if delay == .zero { return write(response, isKeptAlive: head.isKeepAlive, context) }
            context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(delay.milliseconds)) {
                self.write(response, isKeptAlive: head.isKeepAlive, context)
            }
        }
    }

    private func end(outcome: String, operations: [String], fault: Faults.Kind?) {
        guard var incoming = request.take() else { return }
        if outcome == "disconnected" { incoming.call.form?.abandon() }
        let entry = Journal.Entry(
            time: incoming.started, connection: connection, method: incoming.head.method.rawValue,
            path: String(incoming.head.uri.prefix { $0 != "?" }), operations: operations, received: incoming.received,
            outcome: outcome, fault: fault, duration: Moment.now() - incoming.started)
        service.control.withLock { $0.journal.ended(entry) }
    }

    // MARK: Writing

    private func write(_ response: Response, isKeptAlive: Bool, _ context: ChannelHandlerContext) {
        let isKeptAlive = isKeptAlive && !response.closes
        var headers = HTTPHeaders()
        headers.add(name: "Content-Type", value: response.contentType)
        for (name, value) in response.headers { headers.add(name: name, value: value) }
        if !isKeptAlive { headers.add(name: "Connection", value: "close") }
        let status = HTTPResponseStatus(statusCode: response.status)
        switch response.body {
        case .bytes(let bytes):
            headers.add(name: "Content-Length", value: String(bytes.count))
            context.write(
                wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
            finishWriting(isKeptAlive, context)
        case .stream(let length, let next):
            if let length { headers.add(name: "Content-Length", value: String(length)) }
            context.write(
                wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))), promise: nil)
            stream(next, isKeptAlive, context)
        }
    }

    /// Writes a piece, and the next once that one is gone.
    private func stream(_ next: @escaping () -> [UInt8]?, _ isKeptAlive: Bool, _ context: ChannelHandlerContext) {
        guard let piece = next() else { return finishWriting(isKeptAlive, context) }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: piece)))))
            .assumeIsolated().whenSuccess { self.stream(next, isKeptAlive, context) }
    }

    private func finishWriting(_ isKeptAlive: Bool, _ context: ChannelHandlerContext) {
        let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        guard !isKeptAlive else { return }
        isOver = true
        written.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }

    /// Closes with a reset: lingering for no time at all makes the kernel send RST.
    private func reset(_ context: ChannelHandlerContext) {
        isOver = true
        if let options = context.channel as? any SocketOptionProvider {
            options.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                .assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        } else {
            context.close(promise: nil)
        }
    }
}

extension ConnectionHandler.Incoming {
    fileprivate mutating func read(_ buffer: ByteBuffer) {
        guard call.formError == nil, var parser = multipart, var form = call.form.take() else { return }
        multipart = nil
        do {
            try buffer.withUnsafeReadableBytes { bytes in
                try parser.feed(bytes.assumingMemoryBound(to: UInt8.self), to: &form)
            }
        } catch {
            call.formError = "\(error)"
            form.abandon()
        }
        multipart = parser
        call.form = form
    }
}
