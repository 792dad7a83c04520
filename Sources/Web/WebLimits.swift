/// What strangers may use up.
public struct WebLimits: Sendable {
    /// Connections at a time; further ones are closed at once.
    public var connections = 32
    /// Bytes of a request's head.
    public var headBytes = 16 << 10
    /// How long a client may take to send its head.
    public var headTime: Duration = .seconds(10)
    /// How long a connection lasts at most, whatever happens on it.
    public var wholeTime: Duration = .seconds(30)
    /// How long what still arrives is read and thrown away after an answer, so that the client gets to see it.
    public var lingerTime: Duration = .seconds(2)

    /// The usual limits.
    public init() {}
}
