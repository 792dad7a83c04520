/// The right of one process to work on one item until a certain time.
///
/// Every update of a leased item names the lease in its guard. A process that was paused for longer than its
/// lease therefore cannot overwrite what its successor did: its update matches no row and it is told so.
public struct Lease: Sendable, Hashable {
    /// Who holds it; unique for each start of a process.
    public let owner: LeaseOwner
    /// The fencing token: grows by one each time the item changes hands.
    public let fence: Int

    /// Creates the lease as the store granted it.
    public init(owner: LeaseOwner, fence: Int) {
        self.owner = owner
        self.fence = fence
    }
}

/// A process that works on the ledger; never the same for two starts.
public struct LeaseOwner: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// For example `host-a:4711:9f2c…`.
    public let rawValue: String
    /// Takes the name as it is.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// The name.
    public var description: String { rawValue }
}

/// Something that is worked on under a lease.
public struct Leased<Item: Sendable>: Sendable {
    /// What to work on, as it stood when it was leased.
    public var item: Item
    /// The right to do so.
    public let lease: Lease

    /// Pairs an item with the lease on it.
    public init(_ item: Item, lease: Lease) {
        self.item = item
        self.lease = lease
    }
}
