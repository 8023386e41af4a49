//! The catalogue of faults: what can go wrong with the plant, in the words of people and of files.
//!
//! Each fault has one name, used in scenario files, over HTTP and in the truth lane. Here is only what it is; what it does
//! to the plant is in [`crate::disturb`], to its answers in [`crate::spoil`] and [`crate::wire`].

use serde::{Deserialize, Serialize};

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// No connection to the machines on Modbus: open ones are closed, new ones are refused.
    CommsLoss,
    /// Requests are taken and never answered.
    Mute,
    /// Every answer comes late.
    LateReplies,
    /// Every request is answered with a Modbus exception.
    Exception,
    /// The registers of the filler keep their values.
    Freeze,
    /// An answer of the filler mixes the words of two strokes.
    TornReplies,
    /// The answer to the request before comes again, ahead of the right one.
    DuplicateReplies,
    /// Every other answer is held back and comes behind the next one.
    ReorderedReplies,
    /// Answers carry the transaction number of no request.
    WrongTransaction,
    /// Answers come from a unit that was not asked.
    WrongUnit,
    /// Values of several words of the filler come with the least significant word first.
    WrongWordOrder,
    /// Counters of the filler read zero for a few answers and are back.
    ZeroGlitch,
    /// The heartbeats stand still while the machines go on.
    HeartbeatStuck,
    /// The clocks of the PLCs are off.
    ClockStep,
    /// The PLC of the filler restarts. What it counts is kept.
    PlcRestart,
    /// The PLC of the polisher loses its power, and with it all that it counts.
    PolisherRestart,
    /// The batch counters are set to zero within a batch.
    CounterReset,
    /// Counters pass the end of their registers soon after the start.
    CounterWrap,
    /// The batch ends, and its number changes before the counters are set to zero.
    BatchIdEarly,
    /// The batch ends, and its number changes after the counters are set to zero.
    BatchIdLate,
    /// The sensor at the outlet counts some capsules twice.
    DoubleCount,
    /// No connection to the machines on OPC UA: the server is away.
    OpcuaLoss,
    /// Values are lost in the queue of the OPC UA server.
    QueueOverflow,
    /// Sessions and subscriptions of the OPC UA server are gone.
    SessionLoss,
    /// All OPC UA values have a bad status.
    BadStatus,
    /// Many capsules do not part, with the vacuum falling.
    EmptyCapsuleBurst,
    /// One dosator wears and doses less and less.
    WornDosator,
    /// Capsules jam and the filler stops.
    Jam,
    /// The share of rejects climbs slowly.
    RejectDrift,
    /// The disk of the service is full.
    DiskFull,
    /// The database of the plant is away.
    DatabaseLoss,
}

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Between the machines and the service, on Modbus.
    Modbus,
    /// Between the machines and the service, on OPC UA.
    OpcUa,
    /// In a PLC: what its registers say.
    Plc,
    /// In the machine itself: what is made.
    Process,
    /// In the service or under it. A plant cannot bring it about; whoever runs the service can.
    Service,
}

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Happens {
    /// It is on for a time, or until it is withdrawn.
    Switch,
    /// It happens in one moment.
    Once,
    /// It is a value that the plant is started with.
    AtStart,
}

/// A figure that a fault takes: what it is when none is given, and what it can be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Its unit, as on a screen.
    pub unit: &'static str,
    /// Taken when none is given.
    pub default: f64,
    /// The least it can be.
    pub least: f64,
    /// The most it can be.
    pub most: f64,
}

/// A text in both languages of the screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// Chinese.
    pub zh: &'static str,
}

/// An entry of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The fault, under its name.
    #[serde(rename = "name")]
    pub fault: Fault,
    /// What people call it.
    pub title: Text,
    /// What happens.
    pub does: Text,
    /// Where.
    pub side: Side,
    /// How long.
    pub happens: Happens,
    /// Seconds of plant time; none for what happens once. Without a duration a switch stays on.
    pub duration: Option<Figure>,
    /// What it takes beside the duration.
    pub value: Option<Figure>,
}

impl Fault {
    /// All faults, in the order of the catalogue.
    pub const ALL: [Fault; 31] = [
        Fault::CommsLoss,
        Fault::Mute,
        Fault::LateReplies,
        Fault::Exception,
        Fault::Freeze,
        Fault::TornReplies,
        Fault::DuplicateReplies,
        Fault::ReorderedReplies,
        Fault::WrongTransaction,
        Fault::WrongUnit,
        Fault::WrongWordOrder,
        Fault::ZeroGlitch,
        Fault::HeartbeatStuck,
        Fault::ClockStep,
        Fault::PlcRestart,
        Fault::PolisherRestart,
        Fault::CounterReset,
        Fault::CounterWrap,
        Fault::BatchIdEarly,
        Fault::BatchIdLate,
        Fault::DoubleCount,
        Fault::OpcuaLoss,
        Fault::QueueOverflow,
        Fault::SessionLoss,
        Fault::BadStatus,
        Fault::EmptyCapsuleBurst,
        Fault::WornDosator,
        Fault::Jam,
        Fault::RejectDrift,
        Fault::DiskFull,
        Fault::DatabaseLoss,
    ];

    /// Its name in files and in JSON.
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            // A variant without fields is a string.
            _ => String::new(),
        }
    }

    /// The fault of a name.
    ///
    /// # Errors
    /// The name is in no entry; the message lists those that are.
    pub fn named(name: &str) -> Result<Fault, String> {
        let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name);
        fault.ok_or_else(|| {
            let names = Fault::ALL.map(Fault::name).join(", ");
            format!("there is no fault {name:?}; the faults are {names}")
        })
    }

    /// Its entry in the catalogue.
    #[rustfmt::skip]
    pub fn entry(self) -> Entry {
        use Fault::*;
        use Side::*;
        let (side, happens, duration, value) = match self {
            CommsLoss         => (Modbus,  Happens::Switch,  lasts(60.0),    None),
            Mute              => (Modbus,  Happens::Switch,  lasts(10.0),    None),
            LateReplies       => (Modbus,  Happens::Switch,  lasts(60.0),    figure("ms", 80.0, 1.0, 60_000.0)),
            Exception         => (Modbus,  Happens::Switch,  lasts(10.0),    figure("code", 4.0, 1.0, 11.0)),
            Freeze            => (Modbus,  Happens::Switch,  lasts(30.0),    None),
            TornReplies       => (Modbus,  Happens::Switch,  lasts(10.0),    None),
            DuplicateReplies  => (Modbus,  Happens::Switch,  lasts(10.0),    None),
            ReorderedReplies  => (Modbus,  Happens::Switch,  lasts(10.0),    None),
            WrongTransaction  => (Modbus,  Happens::Switch,  lasts(10.0),    None),
            WrongUnit         => (Modbus,  Happens::Switch,  lasts(10.0),    None),
            WrongWordOrder    => (Plc,     Happens::Switch,  lasts(60.0),    None),
            ZeroGlitch        => (Plc,     Happens::Once,    None,           figure("answers", 1.0, 1.0, 1_000.0)),
            HeartbeatStuck    => (Plc,     Happens::Switch,  lasts(30.0),    None),
            ClockStep         => (Plc,     Happens::Switch,  lasts(600.0),   figure("s", 90.0, -86_400.0, 86_400.0)),
            PlcRestart        => (Plc,     Happens::Once,    None,           None),
            PolisherRestart   => (Plc,     Happens::Once,    None,           None),
            CounterReset      => (Plc,     Happens::Once,    None,           None),
            CounterWrap       => (Plc,     Happens::AtStart, None,           figure("capsules", 500.0, 0.0, 1e6)),
            BatchIdEarly      => (Plc,     Happens::Once,    None,           figure("s", 2.0, 0.0, 600.0)),
            BatchIdLate       => (Plc,     Happens::Once,    None,           figure("s", 2.0, 0.0, 600.0)),
            DoubleCount       => (Plc,     Happens::Switch,  lasts(600.0),   figure("%", 1.0, 0.01, 100.0)),
            OpcuaLoss         => (OpcUa,   Happens::Switch,  lasts(60.0),    None),
            QueueOverflow     => (OpcUa,   Happens::Switch,  lasts(30.0),    None),
            SessionLoss       => (OpcUa,   Happens::Once,    None,           None),
            BadStatus         => (OpcUa,   Happens::Switch,  lasts(30.0),    None),
            EmptyCapsuleBurst => (Process, Happens::Switch,  lasts(1_200.0), figure("%", 6.0, 0.1, 90.0)),
            WornDosator       => (Process, Happens::Switch,  lasts(18_000.0), figure("% fill", -6.0, -50.0, 50.0)),
            Jam               => (Process, Happens::Once,    None,           figure("s", 35.0, 5.0, 86_400.0)),
            RejectDrift       => (Process, Happens::Switch,  lasts(3_600.0), figure("%", 1.0, 0.01, 50.0)),
            DiskFull          => (Service, Happens::Switch,  lasts(60.0),    None),
            DatabaseLoss      => (Service, Happens::Switch,  lasts(600.0),   None),
        };
        let [title, does] = self.texts();
        Entry { fault: self, title, does, side, happens, duration, value }
    }

    /// Title, and what happens.
    #[rustfmt::skip]
    fn texts(self) -> [Text; 2] {
        use Fault::*;
        let (en, zh, does_en, does_zh) = match self {
            CommsLoss => ("Communication lost", "通信中断",
                "Modbus connections are closed, and new ones are refused.", "断开 Modbus 连接并拒绝新连接。"),
            Mute => ("No answers", "无应答",
                "Requests are taken and never answered.", "收到请求但不应答。"),
            LateReplies => ("Late answers", "应答延迟",
                "Each answer comes so many milliseconds late.", "每个应答延迟若干毫秒。"),
            Exception => ("Modbus exception", "Modbus 异常",
                "Every request is answered with this exception code.", "每个请求都以该异常码应答。"),
            Freeze => ("Frozen registers", "寄存器冻结",
                "The registers of the filler (unit 1) keep their values while it runs on.", "充填机（单元 1）运行而寄存器数值不变。"),
            TornReplies => ("Torn answers", "应答撕裂",
                "An answer of the filler (unit 1) after a new stroke mixes words of two strokes.", "充填机（单元 1）新行程后的应答混有两个行程的数据。"),
            DuplicateReplies => ("Duplicate answers", "重复应答",
                "The earlier answer is sent again ahead of the right one.", "先重发上一个应答，再发正确应答。"),
            ReorderedReplies => ("Answers out of order", "应答乱序",
                "Every other answer is held back and sent behind the next.", "每隔一个应答被压后到下一个之后发送。"),
            WrongTransaction => ("Wrong transaction number", "事务号错误",
                "Answers carry the transaction number of no request.", "应答的事务号与任何请求都不符。"),
            WrongUnit => ("Wrong unit", "单元号错误",
                "Answers carry a unit that was not asked.", "应答的单元号不是被询问的单元。"),
            WrongWordOrder => ("Wrong word order", "字序错误",
                "Values of several words of the filler (unit 1) come with the least significant word first.", "充填机（单元 1）的多字数值以低字在前发送。"),
            ZeroGlitch => ("Counters flash to zero", "计数闪零",
                "Counters of the filler (unit 1) read zero for so many answers of each connection and are back.", "每个连接在若干应答中读到充填机（单元 1）的计数为零，然后恢复。"),
            HeartbeatStuck => ("Heartbeat stuck", "心跳停滞",
                "The heartbeats stand still while the machines go on.", "机器运行而心跳不变。"),
            ClockStep => ("PLC clock step", "PLC 时钟跳变",
                "The clocks of the PLCs are off by so many seconds.", "PLC 时钟偏差若干秒。"),
            PlcRestart => ("PLC restart", "PLC 重启",
                "The uptime of the filler begins at zero and connections are closed; its counters are kept.", "充填机运行时间归零，连接断开；计数保持。"),
            PolisherRestart => ("Polisher loses power", "抛光机断电",
                "All counters and the heartbeat of the polisher begin at zero: it keeps nothing.", "抛光机所有计数与心跳归零：断电不保持。"),
            CounterReset => ("Counters reset", "计数器清零",
                "The batch counters of the filler are set to zero within the batch.", "批次进行中充填机批计数被清零。"),
            CounterWrap => ("Counter near its end", "计数器将溢出",
                "The output counter (unit 1) is started so many capsules before its end.", "产量计数器（单元 1）从溢出前若干粒开始。"),
            BatchIdEarly => ("Batch number early", "批号提前",
                "The batch ends; its number changes so many seconds before the counters are reset.", "批次结束；批号早于计数清零若干秒变化。"),
            BatchIdLate => ("Batch number late", "批号滞后",
                "The batch ends; its number changes so many seconds after the counters are reset.", "批次结束；批号晚于计数清零若干秒变化。"),
            DoubleCount => ("Sensor counts double", "传感器重复计数",
                "The sensor at the outlet sees so many capsules in a hundred twice.", "出口传感器每百粒重复计数若干粒。"),
            OpcuaLoss => ("OPC UA server away", "OPC UA 服务器中断",
                "OPC UA connections of all machines are closed, and new ones are refused.", "断开所有机器的 OPC UA 连接并拒绝新连接。"),
            QueueOverflow => ("OPC UA queue overflow", "OPC UA 队列溢出",
                "Values of all machines are lost in the queue of the OPC UA server, and the next one says so.", "OPC UA 服务器队列丢失所有机器的数值，后续数值带溢出标志。"),
            SessionLoss => ("OPC UA session lost", "OPC UA 会话丢失",
                "Sessions and subscriptions of the OPC UA server of all machines are gone.", "所有机器的 OPC UA 会话与订阅全部丢失。"),
            BadStatus => ("OPC UA bad status", "OPC UA 坏状态",
                "All OPC UA values of all machines have a bad status.", "所有机器的 OPC UA 数值状态为坏。"),
            EmptyCapsuleBurst => ("Empty capsules do not part", "空胶囊分囊不良",
                "So many capsules in a hundred are rejected, with the vacuum falling.", "每百粒剔除若干粒，真空度下降。"),
            WornDosator => ("Worn dosator", "计量杆磨损",
                "One bore doses less and less, down to this share of the fill.", "一个模孔装量逐渐减少至该比例。"),
            Jam => ("Capsule jam", "卡囊",
                "The filler stops for so many seconds.", "充填机停机若干秒。"),
            RejectDrift => ("Rejects climb", "剔废率上升",
                "The share of rejects climbs by so much within half an hour, and stays.", "剔废率半小时内上升若干并保持。"),
            DiskFull => ("Disk full", "磁盘已满",
                "The journal of the service can take nothing more.", "服务的日志无法再写入。"),
            DatabaseLoss => ("Database lost", "数据库中断",
                "The database of the plant is away.", "工厂数据库不可用。"),
        };
        [Text { en, zh }, Text { en: does_en, zh: does_zh }]
    }
}

/// The duration of a switch, in seconds.
fn lasts(default: f64) -> Option<Figure> {
    figure("s", default, 0.001, 604_800.0)
}

fn figure(unit: &'static str, default: f64, least: f64, most: f64) -> Option<Figure> {
    Some(Figure { unit, default, least, most })
}
