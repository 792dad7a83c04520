internal import CCurl
internal import CCurlShim
internal import Glibc

/// One request under way, and the context that libcurl's callbacks get.
///
/// Lives on the loop's thread only, hence not `Sendable`. The loop's table owns it until `curl_multi_remove_handle`
/// has returned, which is what makes the unretained pointer below valid for as long as libcurl may call back.
final class Transfer {
    let easy: EasyHandle
    let ticket: Ticket
    private let request: HTTPRequest
    private var headerLines: UnsafeMutablePointer<curl_slist>?
    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    /// A small body, which libcurl sends in one piece with the header; it must stay in place for that.
    private var wholeBody: UnsafeMutableRawBufferPointer?
    private var bodyStream: BodyStream?
    /// Asked how much of the body may be sent now.
    private let turnstile: SendTurnstile

    private var headers = HTTPHeaders()
    private var headerBytes = 0
    private var body: [UInt8] = []
    private var bodyBytes = 0
    private var reportedBytes: Int64 = -1
    /// How often the request was about to go out on a connection that stood.
    private var attempts = 0
    /// What a callback had against going on: libcurl itself only says that one had.
    private var objection: (kind: TransportError.Kind, message: String)?

    /// The longest header taken, in bytes; some ten times what servers and proxies allow each other.
    private static let headerLimit = 256 << 10
    /// libcurl's own default is 64 KiB; this is 1.2 times as fast on loopback.
    private static let uploadBufferSize = 512 << 10

    init(
        _ request: HTTPRequest, ticket: Ticket, configuration: CurlTransport.Configuration, turnstile: SendTurnstile
    ) throws(TransportError) {
        self.turnstile = turnstile
        self.request = request
        self.ticket = ticket
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        do throws(CurlFailure) {
            easy = try EasyHandle()
        } catch {
            errorText.deallocate()
            throw TransportError(.other, reach: .notSent, message: error.message, url: request.url)
        }
        guard request.headers.allSatisfy(\.isWellFormed) else {
            let name = request.headers.first { !$0.isWellFormed }?.name ?? ""
            // The value stays out of the message: it may be the key.
            throw failure(.badHeader, "the value or name of the header \(name.debugDescription) cannot be sent")
        }
        if case .multipart(let parts) = request.body,
            let part = parts.first(where: { !MultipartFraming.isWellFormed($0) })
        {
            throw failure(.badHeader, "the content type of the part \(part.name.debugDescription) cannot be sent")
        }
        do throws(CurlFailure) {
            try setCommonOptions(configuration)
            try setBody()
            try setHeaders()
        } catch {
            throw failure(.other, error.message)
        }
    }

    deinit {
        // `easy` is cleaned up after this body, and libcurl might still have something to say then.
        _ = ccurl_set_pointer(easy.raw, CURLOPT_ERRORBUFFER, nil)
        curl_slist_free_all(headerLines)
        errorText.deallocate()
        wholeBody?.deallocate()
    }

    // MARK: Options

    private func setCommonOptions(_ configuration: CurlTransport.Configuration) throws(CurlFailure) {
        let me = Unmanaged.passUnretained(self).toOpaque()
        try easy.set(CURLOPT_ERRORBUFFER, to: errorText)
        try easy.set(CURLOPT_URL, to: request.url)
        try easy.set(CURLOPT_PROTOCOLS_STR, to: "http,https")
        // SIGALRM time-outs are not safe with threads. SIGPIPE is blocked in the loop's thread.
        try easy.set(CURLOPT_NOSIGNAL, to: 1)
        try easy.set(CURLOPT_TCP_NODELAY, to: 1)
        try easy.set(CURLOPT_TCP_KEEPALIVE, to: 1)
        try easy.set(CURLOPT_UPLOAD_BUFFERSIZE, to: Self.uploadBufferSize)
        try easy.set(CURLOPT_ACCEPT_ENCODING, to: "")
        try easy.set(CURLOPT_USERAGENT, to: configuration.userAgent)
        try easy.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, to: 1)
        try easy.set(CURLOPT_CONNECTTIMEOUT_MS, to: max(1, Int(request.connectTimeout / .milliseconds(1))))
        try easy.set(CURLOPT_LOW_SPEED_LIMIT, to: 1)
        try easy.set(CURLOPT_LOW_SPEED_TIME, to: max(1, Int((request.stallTimeout / .seconds(1)).rounded(.up))))
        let version =
            switch request.version {
            case .http1: CURL_HTTP_VERSION_1_1
            case .negotiated: CURL_HTTP_VERSION_2TLS
            }
        try easy.set(CURLOPT_HTTP_VERSION, to: Int(version))
        if request.connection == .fresh { try easy.set(CURLOPT_FRESH_CONNECT, to: 1) }

        try easy.set(CURLOPT_SSL_VERIFYPEER, to: 1)
        try easy.set(CURLOPT_SSL_VERIFYHOST, to: 2)
        try easy.set(CURLOPT_SSLVERSION, to: Int(CURL_SSLVERSION_TLSv1_2))
        if let file = configuration.caFile { try easy.set(CURLOPT_CAINFO, to: file) }
        // libcurl keeps the authorities for a day otherwise, and would not see that their file was mended.
        try easy.set(CURLOPT_CA_CACHE_TIMEOUT, to: 60)
        if let proxy = configuration.proxy { try easy.set(CURLOPT_PROXY, to: proxy) }

        try easy.onWrite(CURLOPT_WRITEFUNCTION, onBody, context: (CURLOPT_WRITEDATA, me))
        try easy.onWrite(CURLOPT_HEADERFUNCTION, onHeader, context: (CURLOPT_HEADERDATA, me))
        try easy.beforeRequest(onRequest, context: me)
        if request.progress != nil { try easy.onProgress(onProgress, context: me) }
    }

    private func setBody() throws(CurlFailure) {
        let me = Unmanaged.passUnretained(self).toOpaque()
        switch (request.method, request.body) {
        case (.get, _): try easy.set(CURLOPT_HTTPGET, to: 1)
        case (.post, .none): try post(byteCount: 0)
        case (.post, .bytes(let bytes)):
            try post(byteCount: Int64(bytes.count))
            // Always allocated: with a null pointer libcurl would ask a read callback, and there is none.
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 1)
            copy.copyBytes(from: bytes)
            wholeBody = copy
            if let start = copy.baseAddress { try easy.set(CURLOPT_POSTFIELDS, to: start) }
        case (.post, .multipart(let parts)):
            var generator = SystemRandomNumberGenerator()
            let boundary = MultipartFraming.randomBoundary(using: &generator)
            let stream = BodyStream(MultipartFraming.stretches(of: parts, boundary: boundary))
            append(HTTPHeader("Content-Type", MultipartFraming.contentType(boundary: boundary)))
            try post(byteCount: stream.byteCount)
            bodyStream = stream
            try easy.onRead(onRead, context: me)
            try easy.onSeek(onSeek, context: me)
        }
    }

    private func post(byteCount: Int64) throws(CurlFailure) {
        try easy.set(CURLOPT_POST, to: 1)
        try easy.set(CURLOPT_POSTFIELDSIZE_LARGE, toOffset: byteCount)
        if byteCount == 0 { try easy.set(CURLOPT_COPYPOSTFIELDS, to: "") }
    }

    private func setHeaders() throws(CurlFailure) {
        for header in request.headers { append(header) }
        // libcurl would wait a second for "100 Continue" before a large body.
        headerLines = curl_slist_append(headerLines, "Expect:")
        if case .multipart = request.body {
        } else if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            // libcurl would call any other body a form.
            headerLines = curl_slist_append(headerLines, "Content-Type:")
        }
        try easy.set(headers: headerLines)
    }

    private func append(_ header: HTTPHeader) {
        // "Name:" would take a header away; "Name;" is libcurl's way to send an empty one.
        headerLines = curl_slist_append(
            headerLines, header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)")
    }

    // MARK: Callbacks, on the loop's thread

    /// Counts the times that the request is about to go out, and lets a `fresh` one out once.
    fileprivate func mayBegin() -> Bool {
        attempts += 1
        if attempts > 1, request.connection == .fresh {
            objection = (.connectionLost, "the connection was lost, and the request is not to be sent a second time")
            return false
        }
        return true
    }

    fileprivate func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let bodyStream else { return Int(CURL_READFUNC_ABORT) }
        let allowed = turnstile.take(buffer.count, for: easy.raw)
        // libcurl asks again when the loop lets it.
        guard allowed > 0 else { return Int(CURL_READFUNC_PAUSE) }
        do throws(BodySourceFailure) {
            let count = try bodyStream.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<allowed]))
            turnstile.giveBack(allowed - count)
            return count
        } catch {
            objection = (.bodySource, error.message)
            return Int(CURL_READFUNC_ABORT)
        }
    }

    fileprivate func seek(to offset: Int64) -> Bool {
        request.connection == .pooled && bodyStream?.seek(to: offset) == true
    }

    /// Takes the bytes and returns how many it took.
    ///
    /// Fewer than offered makes libcurl stop. A Swift error cannot cross C frames, so this is the only way to say no.
    fileprivate func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard bytes.count <= request.responseLimit - bodyBytes else {
            objection = (.responseTooLarge, "the answer has more than \(request.responseLimit) bytes")
            return 0
        }
        bodyBytes += bytes.count
        if let receive = request.receive, easy.status == 200 {
            guard receive(bytes) else {
                objection = (.malformedResponse, "the answer is not what was asked for")
                return 0
            }
            return bytes.count
        }
        body.append(contentsOf: bytes)
        return bytes.count
    }

    fileprivate func receive(headerLine bytes: UnsafeRawBufferPointer) -> Int {
        headerBytes += bytes.count
        guard headerBytes <= Self.headerLimit else {
            objection = (.responseTooLarge, "the answer's header has more than \(Self.headerLimit) bytes")
            return 0
        }
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            // A status line: what came before it was an interim answer, such as 100 or 103.
            headers.removeAll()
        } else if let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) {
            headers.append(HTTPHeader(String(line[..<colon]), Self.trimmed(line[line.utf8.index(after: colon)...])))
        }
        return bytes.count
    }

    fileprivate func report(sent: Int64, of total: Int64) {
        guard sent != reportedBytes, let progress = request.progress else { return }
        reportedBytes = sent
        progress(sent, total)
    }

    private static func trimmed(_ value: Substring) -> String {
        let blank: (Unicode.Scalar) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\n" }
        var scalars = value.unicodeScalars
        while let last = scalars.last, blank(last) { scalars.removeLast() }
        return String(String.UnicodeScalarView(scalars.drop(while: blank)))
    }

    // MARK: The end

    /// What became of the request, from libcurl's last word on it.
    func outcome(_ code: CURLcode) -> Ticket.Outcome {
        if code == CURLE_OK {
            return .success(HTTPResponse(status: easy.status, headers: headers, body: body))
        }
        if let objection { return .failure(failure(objection.kind, objection.message)) }
        let text = String(cString: errorText[0] == 0 ? curl_easy_strerror(code) : UnsafePointer(errorText))
        return .failure(failure(kind(of: code, text), TransportError.withoutCredentials(text)))
    }

    func failure(_ kind: TransportError.Kind, _ message: String) -> TransportError {
        TransportError(kind, reach: reach, message: message, url: request.url)
    }

    /// Decided by what was written, not by the kind of failure: only the count of bytes cannot be wrong.
    ///
    /// HTTP/2 frames are counted when they are queued or when they are written, so there the attempt itself counts.
    private var reach: TransportError.Reach {
        switch attempts {
        case 0: .notSent
        case 1 where request.version == .http1 && easy.requestSize == 0: .notSent
        default: .maySent
        }
    }

    /// Maps libcurl's ninety-odd codes onto the few that callers treat differently.
    private func kind(of code: CURLcode, _ text: String) -> TransportError.Kind {
        switch code {
        case CURLE_URL_MALFORMAT: .badURL
        // Also the code for an answer that is not HTTP/1 or newer.
        case CURLE_UNSUPPORTED_PROTOCOL: attempts == 0 ? .badURL : .malformedResponse
        case CURLE_COULDNT_RESOLVE_HOST: .couldNotResolve
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: .proxy
        case CURLE_COULDNT_CONNECT: .couldNotConnect
        case CURLE_OPERATION_TIMEDOUT: attempts == 0 ? .connectTimedOut : .stalled
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_CIPHER, CURLE_USE_SSL_FAILED,
            CURLE_SSL_ENGINE_INITFAILED:
            .tls
        // One code for "no common version" and for a connection that broke in the handshake.
        case CURLE_SSL_CONNECT_ERROR:
            text.contains("SSL_ERROR_SYSCALL") || text.contains("reset") ? .connectionLost : .tls
        case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_HTTP2, CURLE_HTTP2_STREAM,
            CURLE_HTTP3, CURLE_SEND_FAIL_REWIND, CURLE_SSL_SHUTDOWN_FAILED:
            attempts == 0 && text.contains("CONNECT tunnel") ? .proxy : .connectionLost
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING, CURLE_WRITE_ERROR, CURLE_CHUNK_FAILED:
            .malformedResponse
        case CURLE_READ_ERROR: .bodySource
        default: .other
        }
    }
}

// The functions that libcurl calls. Each captures nothing, converts its arguments and calls one method.

private func transfer(_ context: UnsafeMutableRawPointer) -> Transfer {
    Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
}

private let onBody: ccurl_write_function = { bytes, size, count, context in
    guard let context else { return 0 }
    return transfer(context).receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
}

private let onHeader: ccurl_write_function = { bytes, size, count, context in
    guard let context else { return 0 }
    return transfer(context).receive(headerLine: UnsafeRawBufferPointer(start: bytes, count: size * count))
}

private let onRead: ccurl_read_function = { buffer, size, count, context in
    guard let context else { return Int(CURL_READFUNC_ABORT) }
    return transfer(context).read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
}

private let onSeek: ccurl_seek_function = { context, offset, origin in
    // libcurl only ever seeks from the start (CURLOPT_SEEKFUNCTION(3)).
    guard let context, origin == SEEK_SET else { return CURL_SEEKFUNC_FAIL }
    return transfer(context).seek(to: Int64(offset)) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
}

private let onRequest: ccurl_prerequest_function = { context, _, _, _, _ in
    guard let context else { return CURL_PREREQFUNC_ABORT }
    return transfer(context).mayBegin() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

private let onProgress: ccurl_progress_function = { context, _, _, total, sent in
    guard let context else { return 0 }
    transfer(context).report(sent: Int64(sent), of: Int64(total))
    return 0
}
