//! Tags of a line: their courses, their last readings, the clocks of their devices, and what is handed on of all that.

texts! {
    // Courses of tags.
    Trends "trends" "Trends of up to three tags" "变量趋势（最多三个）"
    TrendChoose "trend_choose" "Choose tags" "选择变量"
    TrendChosen "trend_chosen" "{n} of 3" "{n}/3"
    TrendNone "trend_none" "No tag is chosen." "未选择变量。"
    TrendUnknown "trend_unknown" "not to be drawn here: {tags}" "无法绘制：{tags}"
    TrendNotKept "trend_not_kept" "readings of that time are not kept" "该时段读数未保留"
    TrendRate "trend_rate" "per min" "每分钟"
    TrendSpan "trend_span" "Span of the trends" "趋势时段"
    TrendTag "trend_tag" "{tag}: lowest {min}, highest {max}, latest {last} {unit}" "{tag}：最低 {min}，最高 {max}，最近 {last} {unit}"
    TrendTagUnread "trend_tag_unread" "{tag}: not read" "{tag}：无读数"
    TrendGaps "trend_gaps" "not read for {time}" "{time} 无读数"

    // Files.
    CsvOf "csv_of" "CSV of the table: {name}" "CSV 表格：{name}"

    // What was read last of each tag.
    TagGrid "tag_grid" "All tags" "全部变量"
    TagQuality "tag_quality" "Quality" "质量"
    TagAge "tag_age" "Age" "时效"
    TagSource "tag_source" "Register or node" "寄存器/节点"
    TagPeriod "tag_period" "Period" "周期"
    TagFind "tag_find" "Find" "查找"
    TagBadOnly "tag_bad_only" "Only what is not good" "仅异常"
    TagsShown "tags_shown" "{shown} of {all} · not good: {bad}" "{shown}/{all} · 异常：{bad}"
    TagsNone "tags_none" "No tag fits." "无符合的变量。"
    DoubtGood "doubt.good" "good" "良好"
    DoubtBad "doubt.bad" "bad" "差"
    DoubtUncertain "doubt.uncertain" "uncertain" "不确定"
    DoubtOffline "doubt.offline" "device not heard" "设备无应答"
    DoubtNever "doubt.never" "never read" "未读到"

    // Clocks.
    Clocks "clocks" "Clocks" "时钟"
    ClockOf "clock_of" "Clock" "时钟"
    ClockAhead "clock_ahead" "Against ours" "与本服务之差"
    ClockMeans "clock_means" "What it means" "说明"
    ClockScreen "clock_screen" "this screen" "本屏幕"
    ClockNone "device_clock.none" "It tells no time of its own: its values carry the time at which this service read them." "设备不提供时间：数值采用本服务读取时的时间。"
    ClockClose "device_clock.close" "Within a second of ours: its panel and these screens show the same time." "与本服务相差不到一秒：设备面板与本画面时间一致。"
    ClockFast "device_clock.ahead" "It is ahead: its panel shows a later time than these screens for the same moment. Set its clock. Counts are right: they carry the time of this service." "设备时钟偏快：设备面板上的时间比本画面晚。请校准设备时钟。计数不受影响：计数采用本服务时间。"
    ClockSlow "device_clock.behind" "It is behind: its panel shows an earlier time than these screens for the same moment. Set its clock. Counts are right: they carry the time of this service." "设备时钟偏慢：设备面板上的时间比本画面早。请校准设备时钟。计数不受影响：计数采用本服务时间。"
    ClockAccelerated "device_clock.fast" "The plant runs faster than real time: what a message is late counts many times, so that this says little." "模拟设备快于实时：消息延迟被放大，此差值仅供参考。"
    ClockScreenClose "clock_screen.close" "Within a second of the service: ages on this screen are right." "与服务相差不到一秒：本画面的时效正确。"
    ClockScreenOff "clock_screen.off" "This screen shows the time of the service; only its own clock is wrong. Set it." "本画面显示服务时间；仅本机时钟有误，请校准。"
    ClockScreenFast "clock_screen.fast" "The plant runs faster than real time: its clock cannot be compared with one on the wall." "模拟设备快于实时：无法与真实时钟比较。"
    ClockScreenUnheard "clock_screen.unheard" "The service has not told its time yet." "尚未收到服务时间。"

    // Diagnosis.
    DiagnosisCopy "diagnosis_copy" "Copy diagnosis" "复制诊断信息"
    DiagnosisCopied "diagnosis_copied" "copied" "已复制"
    DiagnosisByHand "diagnosis_by_hand" "The browser does not let a page copy here: the text is selected, press Ctrl+C." "浏览器不允许页面复制：文本已选中，请按 Ctrl+C。"
    DiagnosisText "diagnosis_text" "Diagnosis" "诊断信息"
    DiagnosisHead "diagnosis_head" "Capline diagnosis of line {line}" "Capline 产线 {line} 诊断信息"
    DiagnosisBuild "diagnosis_build" "version {version}, screens {build}, configuration {hash}" "版本 {version}，画面 {build}，配置 {hash}"
    DiagnosisState "diagnosis_state" "state {state}, feed {feed}, polls {done}, missed {missed}, dropped {dropped}" "状态 {state}，数据 {feed}，轮询 {done}，未得 {missed}，丢弃 {dropped}"
    DiagnosisUp "diagnosis_up" "heard {age} ago" "{age} 前有应答"
    DiagnosisDown "diagnosis_down" "NOT HEARD for {time}: {why}" "无应答 {time}：{why}"
    DiagnosisMissed "diagnosis_missed" "missed polls: {why}" "未得轮询：{why}"
    DiagnosisStore "diagnosis_store" "journal {bytes}, readings {raw}, free {free}, waiting {queued}" "台账 {bytes}，读数 {raw}，剩余 {free}，待存 {queued}"
    DiagnosisNone "diagnosis_none" "none" "无"
    DiagnosisLatest "diagnosis_latest" "Latest entries" "最近记录"
    DiagnosisBad "diagnosis_bad" "Tags that are not good" "异常变量"
}
