/// Every bound of the broker in one place. A queue, loop, buffer or cache without a line here is a defect.
public struct Limits: Sendable {
    // MARK: Kafka door
    /// Largest request frame (Kafka's `socket.request.max.bytes`).
    public var requestBytes = 100 << 20
    /// Memory reserved at once for a request that has begun to arrive; past it, at most twice what has arrived.
    public var requestReserveBytes = 2 << 20
    /// Memory that one event loop keeps for reading large requests to.
    public var receivePoolBytes = 32 << 20
    /// Requests of one connection handled in one turn of its loop; then others have theirs.
    public var requestsPerTurn = 64
    /// Requests still handled of a client that has closed its connection behind them.
    public var requestsAfterClose = 10_000
    /// Largest record batch, header included (Kafka's `message.max.bytes`).
    public var batchBytes = 1_048_588
    /// Requests of one connection that may await their answer; reading stops until one is answered.
    public var requestsInFlight = 64
    /// Bytes of requests of one connection that may await their answer.
    public var requestBytesInFlight = 128 << 20
    /// Connections of one door.
    public var connections = 10_000
    /// Silence after which a connection is closed (Kafka's `connections.max.idle.ms`).
    public var connectionIdleMs: Int64 = 600_000
    /// Most bytes one fetch answer carries, whatever the client asks (Kafka's `fetch.max.bytes`).
    public var fetchBytes = 55 << 20
    /// Longest a fetch may wait for data.
    public var fetchWaitMs: Int64 = 300_000
    /// Fetch sessions kept by the broker, and partitions in one (KIP-227).
    public var fetchSessions = 1_000
    public var fetchSessionPartitions = 100_000

    /// Characters (Unicode scalars) that are kept of what a client calls itself and its library, and groups remembered of one connection.
    public var clientNameCharacters = 200
    public var groupsPerConnection = 16

    // MARK: Unpacking
    /// Most bytes that one compressed batch may unpack to; the most it may whatever its size; and past that, unpacked bytes for each
    /// packed one. A batch of many megabytes that packs a hundredfold is true data, a kilobyte that unpacks to gigabytes is not.
    public var unpackedBatchBytes = 64 << 20
    public var unpackedFloorBytes = 16 << 20
    public var unpackedRatio = 256
    /// Records of one batch that is opened: a record weighs up to ten times more in memory than in its batch.
    public var recordsPerBatch = 1 << 20

    // MARK: Catalog
    public var topics = 100_000
    public var partitionsPerTopic = 10_000
    public var partitions = 200_000
    /// Longest topic name (Kafka's own limit).
    public var topicNameBytes = 249

    // MARK: Groups
    public var groups = 10_000
    public var membersPerGroup = 1_000
    /// Longest name of a group, member, instance or assignment strategy. Old message versions count a string's bytes in 16 bits, so a
    /// longer name that a new version brought in could not be told to an old client.
    public var groupNameBytes = 1_024
    /// Assignment strategies one member may offer.
    public var protocolsPerMember = 64
    /// Subscription bytes of one member; and memory of all members, subscriptions and assignments included, of a shard's groups.
    public var memberMetadataBytes = 1 << 20
    public var groupMetadataBytes = 256 << 20
    /// Memory of all committed offsets of a shard's groups.
    public var committedOffsetBytes = 512 << 20
    /// Partitions one group may have committed offsets for.
    public var offsetsPerGroup = 200_000
    public var sessionTimeoutMinMs: Int32 = 6_000
    public var sessionTimeoutMaxMs: Int32 = 1_800_000
    public var rebalanceTimeoutMaxMs: Int32 = 3_600_000
    /// Longest metadata a member may store with an offset (Kafka's `offset.metadata.max.bytes`).
    public var offsetMetadataBytes = 4_096
    /// How long an empty group waits for more members before its first generation (Kafka's `group.initial.rebalance.delay.ms`).
    public var initialRebalanceDelayMs: Int64 = 500
    /// How long a new member's first join may wait; it can't send heartbeats yet (fixed in Kafka).
    public var newMemberJoinTimeoutMs: Int64 = 300_000
    /// Offsets of an empty group are forgotten after this (Kafka's `offsets.retention.minutes`).
    public var offsetsRetentionMs: Int64 = 7 * 24 * 3_600_000

    // MARK: Share groups (defaults of Kafka's `group.share.*`)
    public var shareSessionTimeoutMs: Int64 = 45_000
    public var shareHeartbeatIntervalMs: Int64 = 5_000
    public var topicsPerShareMember = 10_000
    /// Share sessions of one door, and partitions in one.
    public var shareSessions = 2_000
    public var shareSessionPartitions = 100_000
    /// Records one fetch may acquire, whatever the client asks (a last batch may go beyond).
    public var shareFetchRecords = 10_000
    /// How long the answer to a fetch that gets nothing but errors is held back, so that a client does not ask in a tight loop.
    public var shareErrorDelayMs: Int64 = 100

    // MARK: Producers
    /// Idempotent producers remembered per partition, and for how long (Kafka's `producer.id.expiration.ms`).
    public var producersPerPartition = 10_000
    public var producerExpirationMs: Int64 = 86_400_000

    // MARK: Delay
    /// Index entries of one shard's delay store in memory; beyond it, or beyond these bytes of messages of one band (what a start reads
    /// again), they are written out as a sorted run.
    public var delayTableEntries = 131_072
    public var delayTailBytes = 64 << 20
    /// Memory that one shard keeps for putting delayed publishes together.
    public var delayPoolBytes = 6 << 20
    /// Delayed messages whose time an operator changed or that were cancelled, until they would have been due.
    public var delayOverrides = 262_144
    /// Time spans with counts, over all queues of a shard; beyond it they become coarser.
    public var delaySpans = 100_000
    /// Messages of one release, and releases under way at once.
    public var releaseRecords = 4_096
    public var releaseBytes = 4 << 20
    public var releasesInFlight = 4
    /// Messages per second that a shard releases at most: what is overdue after a downtime drains at this rate (`delay-drain-rate`).
    public var releasesPerSecond = 50_000
    /// Levels of the table of delays.
    public var delayLevels = 100
    /// Longest delay of a message: a hundred years.
    public var delayMs: Int64 = 100 * 365 * 86_400_000

    // MARK: Ages
    /// Stretches of one partition's log whose append times are remembered; the older ones are the longer.
    public var appendTimes = 192
    /// From an append until append times are written down for the next start, at least; and bytes of them that one shard writes per second
    /// at most, on average.
    public var appendTimesMs: Int64 = 10_000
    public var appendTimesBytesPerSecond = 100_000
    /// Bytes of them that one shard writes at a time; past it those of the oldest records are left out.
    public var appendTimesBytes = 48 << 20

    // MARK: Queues
    /// Runs of messages that one queue cursor keeps apart (failed, waiting, dying, in flight): past it nothing new is delivered.
    public var runsPerCursor = 1_000_000
    /// Purges of one cursor that can be undone at a time.
    public var purgesPerCursor = 8
    /// Consumers of one cursor of whom it is remembered when they last answered.
    public var answersPerCursor = 200
    /// Queue cursors of one shard.
    public var cursors = 200_000
    /// Messages that one look at a cursor expires or drops at most.
    public var expiriesPerTick = 10_000
    /// Stretches of settled messages of one queue that are freed at a time, the longest ones.
    public var settledRanges = 20_000
    /// Times that one acquire reads on where a read gave nothing to deliver.
    public var acquireReads = 8
    /// Longest a publish is held back for `rate.in`.
    public var throttleMs: Int64 = 10_000
    /// How late a publish is told that publishers are held: well before clients give a request up, and so that none asks in a tight loop.
    public var heldAnswerMs: Int64 = 1_000
    /// Producers of one shard whose first batch was refused while publishers were held, and for how long that is remembered.
    public var heldFirsts = 10_000
    public var heldFirstMs: Int64 = 600_000
    /// Topics that a shard which takes nothing any more is shown with.
    public var brokenNames = 10

    // MARK: Storage
    /// Bytes of facts of one kind (groups, queues, delays, moves) that a shard logs before it writes a snapshot of what they made, and
    /// bytes of batches before it writes one of its producers: what a start reads again.
    public var factSnapshotBytes = 4 << 20
    public var producerSnapshotBytes = 64 << 20
    /// Appends of one shard that may wait for the frame in flight; past it producers are held back by not reading.
    public var pendingAppendBytes = 256 << 20
    /// Open segment files.
    public var openFiles = 512
    /// Events kept for the console's status line and audit list.
    public var recentEvents = 1_000

    /// Rows of a list, and partitions of one topic, whose oldest record is looked up for a snapshot.
    public var agedRows = 100
    /// Queue cursors whose oldest message is looked up anew in one second, and queues that keep a point a second for their graphs.
    public var sampledAges = 500
    public var busiestQueues = 300
    /// Changed partitions that statistics take over from a shard in one turn of its loop.
    public var partitionsPerLook = 500
    /// Messages waiting for a retry that the release schedule looks at one by one.
    public var scheduledRetries = 20_000

    // MARK: Moves and jobs
    /// Records of one batch that is moved to another partition, and source ranges of one move.
    public var moveRecords = 2_000
    /// Cursors of one shard whose dead messages are being carried away at a time; the others wait their turn.
    public var burials = 8
    /// Bytes of refused publishes of one shard on their way to dead-letter targets; past it publishers are told to try again.
    public var rejectedBytes = 64 << 20
    /// Refused publishes of idempotent producers that a queue partition remembers, to know them when they are sent again.
    public var rejectedPublishes = 1_000
    /// Longest pause before what could not be carried to its target is tried again.
    public var moveRetryMs: Int64 = 30_000
    /// Moves of one job under way at a time.
    public var movesPerJob = 4
    /// Jobs that run at a time, and jobs that are remembered, the oldest ended ones forgotten first.
    public var runningJobs = 32
    public var jobs = 1_000
    /// Outcomes of single messages kept per job: skips and their reasons; the rest is only counted.
    public var jobOutcomes = 1_000
    /// Rows of the audit log, and things that can be undone.
    public var auditRows = 10_000
    /// Characters (Unicode scalars) of a row's command and of its outcome, and of its actor; and rows of one request of a Kafka client.
    public var auditTextCharacters = 2_000
    public var auditActorCharacters = 200
    public var auditRowsPerRequest = 100
    public var undos = 1_000
    /// Newest messages of a dead-letter partition whose reasons are indexed (6 bytes each), and ranges of unsettled ones looked at.
    public var deadIndexMessages = 4_000_000
    public var deadRanges = 200_000
    /// Messages that one command names by id.
    public var namedMessages = 10_000

    // MARK: Admin door
    public var httpBodyBytes = 1 << 20
    public var httpConnections = 256
    /// All header lines of one request together, one of them, and their number.
    public var httpHeaderBytes = 32 << 10
    public var httpHeaderFieldBytes = 8 << 10
    public var httpHeaderFields = 64
    /// Longest a request may take to arrive, from its first byte, so that a client that trickles can't hold a connection.
    public var httpRequestMs: Int64 = 30_000
    /// Silence between requests after which a kept connection is closed.
    public var httpIdleMs: Int64 = 120_000
    /// Rows of one list answer, and topics and groups that `/metrics` names one by one (the largest first).
    public var listRows = 1_000
    /// Calls of one attached client that may await their answer, and the largest answer it takes.
    public var attachedCallsInFlight = 64
    public var attachedAnswerBytes = 64 << 20

    public init() {}
}
