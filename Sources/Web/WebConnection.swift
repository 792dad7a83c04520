internal import NIOCore
internal import NIOHTTP1

/// Closes a connection on which more bytes come than a request's head may have.
///
/// The parser limits the header's fields, but not the request line.
final class HeadLimit: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private var left: Int

    init(bytes: Int) { left = bytes }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        left -= unwrapInboundIn(data).readableBytes
        guard left >= 0 else { return context.close(promise: nil) }
        context.fireChannelRead(data)
    }
}

/// One client's connection: reads a head, answers it, and closes.
final class WebConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let judge: RequestJudge
    private let limits: WebLimits
    private let content: @Sendable (Resource) async -> Content
    /// Set with the head; what comes after it is thrown away.
    private var isAnswering = false
    private var deadlines: [Scheduled<Void>] = []
    private var answering: Task<Void, Never>?

    init(judge: RequestJudge, limits: WebLimits, content: @escaping @Sendable (Resource) async -> Content) {
        self.judge = judge
        self.limits = limits
        self.content = content
    }

    func channelActive(context: ChannelHandlerContext) {
        close(context, after: limits.headTime) { !$0.isAnswering }
        close(context, after: limits.wholeTime) { _ in true }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        for deadline in deadlines { deadline.cancel() }
        answering?.cancel()
        context.fireChannelInactive()
    }

    private func close(
        _ context: ChannelHandlerContext, after time: Duration, if condition: @escaping (WebConnection) -> Bool
    ) {
        let bound = context.loopBound
        // On the connection's own loop, which is the only one that touches it.
        let me = NIOLoopBound((self, condition), eventLoop: context.eventLoop)
        deadlines.append(
            context.eventLoop.scheduleTask(in: TimeAmount(time)) {
                let (connection, condition) = me.value
                if condition(connection) { bound.value.close(promise: nil) }
            })
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isAnswering, case .head(let head) = unwrapInboundIn(data) else { return }
        isAnswering = true
        let isHead = head.method == .HEAD
        let hasBody =
            head.headers.contains(name: "Transfer-Encoding")
            || head.headers["Content-Length"].contains { $0 != "0" }
        let verdict = judge.verdict(
            method: head.method.rawValue, target: head.uri, isOld: head.version == .http1_0,
            hostFields: head.headers["Host"], hasBody: hasBody)
        switch verdict {
        case .refuse(let refusal): refuse(refusal, isHead: isHead, context)
        case .answer(let resource):
            let bound = context.loopBound
            let me = NIOLoopBound(self, eventLoop: context.eventLoop)
            let loop = context.eventLoop
            answering = Task { [content] in
                let content = await content(resource)
                guard !Task.isCancelled else { return }
                loop.execute {
                    me.value.write(
                        status: content.isUnavailable ? .serviceUnavailable : .ok, type: content.type,
                        body: content.body, extra: PageHeaders.fields(of: resource, in: content), isHead: isHead,
                        bound.value)
                }
            }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // There will be no head any more.
        if let event = event as? ChannelEvent, event == .inputClosed, !isAnswering { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What cannot be read is nobody's loss; who sent it is told once, if there is still somebody.
        guard !isAnswering, error is HTTPParserError else { return context.close(promise: nil) }
        isAnswering = true
        refuse(.badRequest, isHead: false, context)
    }

    private func refuse(_ refusal: RequestJudge.Refusal, isHead: Bool, _ context: ChannelHandlerContext) {
        write(
            status: HTTPResponseStatus(statusCode: refusal.rawValue), type: "text/plain; charset=utf-8",
            body: Array("\(refusal.line)\n".utf8),
            extra: refusal == .wrongMethod ? [("Allow", "GET, HEAD")] : [], isHead: isHead, context)
    }

    private func write(
        status: HTTPResponseStatus, type: String, body: [UInt8], extra: [(String, String)], isHead: Bool,
        _ context: ChannelHandlerContext
    ) {
        guard context.channel.isActive else { return }
        var head = HTTPResponseHead(version: .http1_1, status: status)
        head.headers.add(name: "Content-Type", value: type)
        head.headers.add(name: "Content-Length", value: String(body.count))
        head.headers.add(name: "Connection", value: "close")
        for (name, value) in PageHeaders.always + extra { head.headers.add(name: name, value: value) }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !isHead { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil) }
        let bound = context.loopBound
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            let (context, connection) = (bound.value, me.value)
            // A close while something unread lies in the kernel resets the connection, and the answer with it.
            context.close(mode: .output, promise: nil)
            connection.close(context, after: connection.limits.lingerTime) { _ in true }
        }
    }
}
