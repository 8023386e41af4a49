//! What the keys do.

texts! {
    Keys "keys" "Keys" "快捷键"
    KeysPages "keys.pages" "page of the bar" "打开导航栏中的页面"
    KeysCursor "keys.cursor" "cursor of the chart in focus" "移动当前图表的光标"
    KeysSignals "keys.signals" "next and previous signal of the SPC chart in focus" "SPC 图：下一个/上一个异常信号"
    KeysWaits "keys.waits" "to what waits: a call nobody took, a signal nobody has looked at" "转到待处理项：未接呼叫、未看信号"
    KeysExplain "keys.explain" "how the number in focus is made" "说明当前数值的算法"
    KeysRange "keys.range" "next span of time" "切换时间范围"
    KeysLanguage "keys.language" "next language" "切换语言"
    KeysColours "keys.colours" "colours: as the device, light, dark" "切换配色：自动/浅色/深色"
    KeysWall "keys.wall" "the wall display of this line" "打开本线大屏"
    KeysOpen "keys.open" "opens the stop at the cursor of the time line" "打开时间线光标处的停机"
    KeysList "keys.list" "this list" "本列表"
    KeysClose "keys.close" "closes a dialog" "关闭对话框"
    KeysOn "keys.on" "Single keys act on this screen" "本屏启用单键快捷键"
}
