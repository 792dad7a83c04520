public import LabelboxAPI
public import Pacing
public import Settings
internal import SystemPackage
public import Transport

/// The way to an account, as the configuration says: the key, the address, and the one pacer for all requests.
public struct AccountConnection: Sendable {
    public let client: LabelboxClient
    public let pacer: RequestPacer
    private let transport: CurlTransport

    /// Sets up the way; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - settings: of the section `labelbox`.
    ///   - environment: where systemd's credential and the variable with the key are found.
    ///   - userAgent: the program's name and version.
    ///   - clock: by which requests are paced.
    ///   - unixTime: seconds since 1970.
    ///   - memory: of the requests that an earlier process sent; nil where nothing is remembered.
    ///   - witness: hears of each attempt of a request; nil where nobody counts.
    ///   - gate: makes the gate of all requests from their pacer.
    /// - Throws: `TransportError` when libcurl cannot be set up.
    public init<C: Clock>(
        _ settings: LabelboxSettings, environment: [String: String], userAgent: String, clock: C,
        unixTime: @escaping @Sendable () -> Int64, memory: (any StartMemory)? = nil,
        witness: RequestWitness? = nil, gate: (RequestPacer) -> any RequestGate
    ) throws(TransportError) where C.Duration == Duration {
        transport = try CurlTransport(
            CurlTransport.Configuration(
                caFile: settings.caFile?.string, proxy: settings.proxy, userAgent: userAgent,
                maxConnections: max(settings.maxConnections * 2, 4)))
        pacer = RequestPacer(
            rules: PacingRules(
                requestsPerMinute: settings.requestsPerMinute, maximumConnections: settings.maxConnections),
            clock: clock, memory: memory)
        client = LabelboxClient(
            endpoint: settings.endpoint,
            credentials: FoundCredentials(file: settings.apiKeyFile, environment: environment),
            transport: transport, gate: gate(pacer),
            settings: .init(connectTimeout: settings.connectTimeout, stallTimeout: settings.stallTimeout),
            unixTime: unixTime, witness: witness)
    }

    /// How long the thread of all transfers has not done what it should have; nil when it owes nothing.
    public var transportSilence: Duration? { transport.silence }

    /// Stops every transfer, and returns when nothing runs any more.
    public func shutdown() async { await transport.shutdown() }
}
