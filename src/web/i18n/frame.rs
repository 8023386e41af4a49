//! The frame of every page, the link between screen and edge, what several pages share.

texts! {
    // The frame of every page.
    Overview "overview" "Overview" "总览"
    Simulated "simulated" "SIM simulated data" "SIM 模拟数据"
    Language "language" "Language" "语言"
    Theme "theme" "Theme" "主题"
    ThemeAuto "theme.auto" "Auto" "自动"
    ThemeLight "theme.light" "Light" "浅色"
    ThemeDark "theme.dark" "Dark" "深色"
    SkipToContent "skip" "Skip to content" "跳到正文"
    NeedsScript "needs_script" "This page needs JavaScript. Without it the page could not tell that its numbers have become old, and so it shows none." "本页需要 JavaScript。没有它，页面无法发现数据已过期，因此不显示任何数字。"
    LineChoice "line_choice" "Line" "产线"
    PageChoice "page_choice" "Page" "页面"
    Wall "wall" "Wall" "看板"

    // The link between screen and edge.
    Live "live" "LIVE" "实时"
    Late "late" "LATE" "延迟"
    Lost "lost" "LOST" "中断"
    Polling "polling" "POLLING" "轮询"
    Connecting "connecting" "CONNECTING" "连接中"
    NoLiveData "no_live_data" "NO LIVE DATA" "数据中断"
    LastData "last_data" "last data {time} · {age} ago" "最后数据 {time} · {age} 前"
    LastKnown "last_known" "figures below are the last known, not current" "以下为最后已知值，非当前值"
    Stalled "stalled" "The service answers but its line reports nothing; look at its log." "服务有响应，但产线没有上报；请查看服务日志。"
    Restored "restored" "Data restored, gap {gap}" "数据已恢复，缺口 {gap}"
    PollingNote "polling_note" "Live stream unavailable: asking every 2 s instead." "实时流不可用：改为每 2 秒查询一次。"
    ClockSkew "clock_skew" "CLOCK SKEW" "时钟偏差"
    ClockSkewNote "clock_skew_note" "this screen's clock is {by} off the edge device's; times shown are the device's" "本屏幕时钟与边缘设备相差 {by}；所示时间为设备时间"
    Beat "beat" "Turning mark: this browser is alive" "转动标记：浏览器运行正常"
    LineTime "line_time" "Line time" "产线时间"
    Speedup "speedup" "×{n} time" "×{n} 倍速"

    // Shared by the pages behind the overview.
    Span "span" "Span" "时间范围"
    ThisShift "this_shift" "This shift" "本班"
    ShiftBefore "shift_before" "Shift before" "上一班"
    LastDay "last_day" "24 h" "24 小时"
    LastWeek "last_week" "7 days" "7 天"
    SpanText "span_text" "{name} {from} – {to}" "{name} {from} – {to}"
    SpanShift "span_shift" "shift {name}" "{name} 班"
    Trouble "trouble" "The figures below are of {time}; a newer answer did not come: {why}" "以下为 {time} 的数据；未能获得更新：{why}"
    Save "save" "Save" "保存"
    Close "close" "Close" "关闭"
    Share "share" "Share" "占比"
    Cumulative "cumulative" "Cumulative" "累计"
    CauseWord "cause_word" "Cause" "停机类别"
    ReasonWord "reason_word" "Reason" "原因"
    WhyWord "why_word" "Remark" "备注"

    // The other three faults of data.
    PlcOffline "plc_offline" "PLC OFFLINE" "设备断线"
    PlcOfflineNote "plc_offline_note" "{station} · {reason} · {time}" "{station} · {reason} · {time}"
    PlcOfflineCounting "plc_offline_counting" "the counting station is not read, so the state of the line is unknown" "计数站无法读取，产线状态未知"
    BadData "bad_data" "BAD DATA" "数据质量差"
    BadDataNote "bad_data_note" "{station} · {tags}" "{station} · {tags}"

    // First-run help.
    HelpWaiting "help_waiting" "No reading has arrived yet. The first figures appear as soon as the counting station answers." "尚未收到读数。计数站一应答，数据即会显示。"
    HelpUnreachable "help_unreachable" "{station} at {address} does not answer ({reason}). Check: 1. Is the device switched on and its network cable in? 2. Are address and port in the configuration right? 3. Does a firewall or another client hold its only connection? The service keeps trying; nothing needs to be restarted." "{station}（{address}）没有应答（{reason}）。请检查：1. 设备是否通电、网线是否插好？2. 配置中的地址和端口是否正确？3. 是否被防火墙或其他客户端占用唯一连接？服务会持续重试，无需重启。"
}
