internal import CCurl
internal import CCurlShim

/// One libcurl easy handle: made once, freed once, never copied.
///
/// `~Copyable` lets the compiler reject a second owner. It is not `Sendable` either: libcurl allows a handle on one
/// thread at a time (libcurl-thread(3)), and that thread is the ``CurlLoop``'s.
struct EasyHandle: ~Copyable {
    let raw: UnsafeMutableRawPointer

    init() throws(CurlFailure) {
        guard let raw = curl_easy_init() else { throw CurlFailure(CURLE_FAILED_INIT) }
        self.raw = raw
    }

    deinit { curl_easy_cleanup(raw) }

    func set(_ option: CURLoption, to value: Int) throws(CurlFailure) {
        try Self.check(ccurl_set_long(raw, option, value))
    }

    func set(_ option: CURLoption, toOffset value: Int64) throws(CurlFailure) {
        try Self.check(ccurl_set_offset(raw, option, curl_off_t(value)))
    }

    func set(_ option: CURLoption, to value: String) throws(CurlFailure) {
        // libcurl copies strings (since 7.17.0), so the temporary may die here.
        try Self.check(ccurl_set_string(raw, option, value))
    }

    func set(_ option: CURLoption, to value: UnsafeMutableRawPointer) throws(CurlFailure) {
        try Self.check(ccurl_set_pointer(raw, option, value))
    }

    func set(headers: UnsafeMutablePointer<curl_slist>?) throws(CurlFailure) {
        try Self.check(ccurl_set_list(raw, CURLOPT_HTTPHEADER, headers))
    }

    func onWrite(
        _ option: CURLoption, _ callback: ccurl_write_function, context: (CURLoption, UnsafeMutableRawPointer)
    ) throws(CurlFailure) {
        try Self.check(ccurl_set_write(raw, option, callback))
        try set(context.0, to: context.1)
    }

    func onRead(_ callback: ccurl_read_function, context: UnsafeMutableRawPointer) throws(CurlFailure) {
        try Self.check(ccurl_set_read(raw, callback))
        try set(CURLOPT_READDATA, to: context)
    }

    func onSeek(_ callback: ccurl_seek_function, context: UnsafeMutableRawPointer) throws(CurlFailure) {
        try Self.check(ccurl_set_seek(raw, callback))
        try set(CURLOPT_SEEKDATA, to: context)
    }

    func beforeRequest(
        _ callback: ccurl_prerequest_function, context: UnsafeMutableRawPointer
    ) throws(CurlFailure) {
        try Self.check(ccurl_set_prerequest(raw, callback))
        try set(CURLOPT_PREREQDATA, to: context)
    }

    func onProgress(_ callback: ccurl_progress_function, context: UnsafeMutableRawPointer) throws(CurlFailure) {
        try Self.check(ccurl_set_progress(raw, callback))
        try set(CURLOPT_XFERINFODATA, to: context)
        try set(CURLOPT_NOPROGRESS, to: 0)
    }

    /// The last HTTP status, or 0 when no status line arrived.
    var status: Int { long(CURLINFO_RESPONSE_CODE) }

    /// How many bytes of request header, and of body that went with it, were written to a connection.
    var requestSize: Int { long(CURLINFO_REQUEST_SIZE) }

    private func long(_ info: CURLINFO) -> Int {
        var value = 0
        return ccurl_get_long(raw, info, &value) == CURLE_OK ? value : 0
    }

    private static func check(_ code: CURLcode) throws(CurlFailure) {
        guard code == CURLE_OK else { throw CurlFailure(code) }
    }
}

/// A libcurl call that failed before the transfer began.
struct CurlFailure: Error {
    let code: CURLcode

    init(_ code: CURLcode) { self.code = code }

    var message: String { String(cString: curl_easy_strerror(code)) }
}
