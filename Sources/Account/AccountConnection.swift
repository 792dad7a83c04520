public import LabelboxAPI
internal import Locking
public import Pacing
public import Settings
internal import SystemPackage
public import Transport

/// The way to an account, as the configuration says: the key, the address, and the one pacer for all requests.
public struct AccountConnection: Sendable {
    public let client: LabelboxClient
    public let pacer: RequestPacer
    private let transport: CurlTransport
    private let credentials: FoundCredentials
    private let limits: Locked<LabelboxClient.Settings>

    /// Sets up the way; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - settings: of the section `labelbox`.
    ///   - environment: where systemd's credential and the variable with the key are found.
    ///   - userAgent: the program's name and version.
    ///   - clock: by which requests are paced.
    ///   - unixTime: seconds since 1970.
    ///   - maximumConnections: the most that ``apply(_:)`` may ever allow; what the settings say, unless given.
    ///   - memory: of the requests that an earlier process sent; nil where nothing is remembered.
    ///   - witness: hears of each attempt of a request; nil where nobody counts.
    ///   - gate: makes the gate of all requests from their pacer.
    /// - Throws: `TransportError` when libcurl cannot be set up.
    public init<C: Clock>(
        _ settings: LabelboxSettings, environment: [String: String], userAgent: String, clock: C,
        unixTime: @escaping @Sendable () -> Int64, maximumConnections: Int? = nil, memory: (any StartMemory)? = nil,
        witness: RequestWitness? = nil, gate: (RequestPacer) -> any RequestGate
    ) throws(TransportError) where C.Duration == Duration {
        let maximumConnections = maximumConnections ?? settings.maxConnections
        transport = try CurlTransport(
            CurlTransport.Configuration(
                caFile: settings.caFile?.string, proxy: settings.proxy, userAgent: userAgent,
                maxConnections: max(maximumConnections * 2, 4)))
        pacer = RequestPacer(
            rules: PacingRules(
                requestsPerMinute: settings.requestsPerMinute, maximumConnections: settings.maxConnections),
            clock: clock, memory: memory)
        let limits = Locked(settings.requestLimits)
        self.limits = limits
        credentials = FoundCredentials(file: settings.apiKeyFile, environment: environment)
        client = LabelboxClient(
            endpoint: settings.endpoint, credentials: credentials, transport: transport, gate: gate(pacer),
            settings: limits.withLock { $0 }, unixTime: unixTime, witness: witness)
    }

    /// Goes by other settings from the next request on: the file of the key, the pace, the timeouts.
    ///
    /// The address, the certificates and the proxy stay as they were at the beginning. A blocked account and a server that
    /// was down are probed at once.
    public func apply(_ settings: LabelboxSettings) {
        credentials.look(in: settings.apiKeyFile)
        limits.withLock { $0 = settings.requestLimits }
        pacer.apply(
            PacingRules(
                requestsPerMinute: settings.requestsPerMinute, maximumConnections: settings.maxConnections))
        pacer.probeNow()
    }

    /// Limits how fast uploads go, all together, in bytes a second; `nil` ends that.
    public func limitUploads(to bytesPerSecond: Int64?) { transport.limitSending(to: bytesPerSecond) }

    /// How long the thread of all transfers has not done what it should have; nil when it owes nothing.
    public var transportSilence: Duration? { transport.silence }

    /// Stops every transfer, and returns when nothing runs any more.
    public func shutdown() async { await transport.shutdown() }
}

extension LabelboxSettings {
    fileprivate var requestLimits: LabelboxClient.Settings {
        .init(connectTimeout: connectTimeout, stallTimeout: stallTimeout)
    }
}
